/** Databases of testkit/fixtures/sql-questions; their tables as a question may name them. */
export const SCHEMAS = {
  shop: ['customers', 'categories', 'products', 'orders', 'order_items', 'reviews'],
  library: [
    'authors',
    'books',
    'book_authors',
    'branches',
    'copies',
    'members',
    'loans',
    'fines',
    'open_loans',
  ],
  fleet: ['depots', 'drivers', 'vehicles', 'trips', 'stops', 'fuelings', 'repairs'],
} as const;
export type SchemaName = keyof typeof SCHEMAS;

/** The day on which all questions are asked. */
export const TODAY = '2026-11-23';

/** A question and one statement that answers it, in words that all three dialects know. */
export interface SqlCase {
  readonly schema: SchemaName;
  readonly question: string;
  /** Null: these tables do not answer the question, and a model should say so. */
  readonly sql: string | null;
  /** Where names are quoted otherwise. */
  readonly mysql?: string;
  /** The order of rows is part of the answer. */
  readonly isOrdered?: true;
}

export const sqlCases: readonly SqlCase[] = [
  { schema: 'shop', question: 'How many customers are there?', sql: 'SELECT COUNT(*) AS n FROM customers' },
  {
    schema: 'shop',
    question: 'Names of all customers from Germany',
    sql: "SELECT name FROM customers WHERE country = 'DE'",
  },
  {
    schema: 'shop',
    question: 'Which products are out of stock?',
    sql: 'SELECT name FROM products WHERE stock = 0',
  },
  {
    schema: 'shop',
    question: 'The three most expensive products that are still sold, dearest first',
    sql: 'SELECT name, price FROM products WHERE active ORDER BY price DESC LIMIT 3',
    isOrdered: true,
  },
  {
    schema: 'shop',
    question: 'How many products does each category have, by name of the category? Leave out empty ones.',
    sql: 'SELECT c.name, COUNT(*) AS n FROM categories c JOIN products p ON p.category_id = c.id GROUP BY c.name',
  },
  {
    schema: 'shop',
    question: 'Which categories have no products?',
    sql: 'SELECT name FROM categories WHERE id NOT IN (SELECT category_id FROM products)',
  },
  {
    schema: 'shop',
    question: 'How many orders are in each status?',
    sql: 'SELECT status, COUNT(*) AS n FROM orders GROUP BY status',
  },
  {
    schema: 'shop',
    question: 'Total revenue in 2026, without cancelled and returned orders',
    sql: `SELECT SUM(i.quantity * i.unit_price) AS revenue FROM orders o JOIN order_items i ON i.order_id = o.id
      WHERE o.ordered_at >= '2026-01-01' AND o.ordered_at < '2027-01-01' AND o.status NOT IN ('cancelled', 'returned')`,
  },
  {
    schema: 'shop',
    question: 'Which customer has placed the most orders, and how many?',
    sql: `SELECT c.name, COUNT(*) AS n FROM customers c JOIN orders o ON o.customer_id = c.id
      GROUP BY c.id, c.name ORDER BY n DESC, c.id LIMIT 1`,
  },
  {
    schema: 'shop',
    question: 'Customers who have never ordered anything',
    sql: 'SELECT name FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)',
  },
  {
    schema: 'shop',
    question: 'The three products sold most often by quantity, best first',
    sql: `SELECT p.name, SUM(i.quantity) AS sold FROM products p JOIN order_items i ON i.product_id = p.id
      GROUP BY p.id, p.name ORDER BY sold DESC, p.id LIMIT 3`,
    isOrdered: true,
  },
  {
    schema: 'shop',
    question: 'Average number of stars of each product that has a review',
    sql: `SELECT p.name, AVG(r.stars * 1.0) AS stars FROM products p JOIN reviews r ON r.product_id = p.id
      GROUP BY p.id, p.name`,
  },
  {
    schema: 'shop',
    question: 'Products that were once sold for less than they cost today',
    sql: 'SELECT DISTINCT p.name FROM products p JOIN order_items i ON i.product_id = p.id WHERE i.unit_price < p.price',
  },
  {
    schema: 'shop',
    question: 'Value of the whole stock in EUR',
    sql: 'SELECT SUM(price * stock) AS total FROM products',
  },
  {
    schema: 'shop',
    question: 'Which customers ordered both in 2025 and in 2026?',
    sql: `SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.ordered_at < '2026-01-01')
      AND EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.ordered_at >= '2026-01-01')`,
  },
  { schema: 'shop', question: 'What did customers return, and why?', sql: null },
  { schema: 'shop', question: 'Which supplier delivers the espresso beans?', sql: null },

  {
    schema: 'library',
    question: 'How many books does the library know?',
    sql: 'SELECT COUNT(*) AS n FROM books',
  },
  {
    schema: 'library',
    question: 'Titles published before 1990',
    sql: 'SELECT title FROM books WHERE published < 1990',
  },
  {
    schema: 'library',
    question: 'All novels with their year, oldest first',
    sql: "SELECT title, published FROM books WHERE genre = 'novel' ORDER BY published",
    isOrdered: true,
  },
  {
    schema: 'library',
    question: 'Which books were written by more than one author?',
    sql: `SELECT b.title FROM books b JOIN book_authors a ON a.book_id = b.id GROUP BY b.id, b.title
      HAVING COUNT(*) > 1`,
  },
  {
    schema: 'library',
    question: 'Titles by Ines Falk',
    sql: `SELECT b.title FROM books b JOIN book_authors x ON x.book_id = b.id JOIN authors a ON a.id = x.author_id
      WHERE a.name = 'Ines Falk'`,
  },
  {
    schema: 'library',
    question: 'How many copies are in each branch?',
    sql: 'SELECT b.name, COUNT(*) AS n FROM branches b JOIN copies c ON c.branch_id = b.id GROUP BY b.name',
  },
  {
    schema: 'library',
    question: 'How many loans are open at the moment?',
    sql: 'SELECT COUNT(*) AS n FROM loans WHERE returned_on IS NULL',
  },
  {
    schema: 'library',
    question: 'Names of members with a loan that is overdue today',
    sql: `SELECT DISTINCT m.name FROM members m JOIN loans l ON l.member_id = m.id
      WHERE l.returned_on IS NULL AND l.due_on < '2026-11-23'`,
  },
  {
    schema: 'library',
    question: 'Sum of the fines that are not paid yet',
    sql: 'SELECT SUM(amount) AS total FROM fines WHERE NOT paid',
  },
  { schema: 'library', question: 'Who is blocked?', sql: 'SELECT name FROM members WHERE blocked' },
  {
    schema: 'library',
    question: 'Which member has borrowed most often, and how many times?',
    sql: `SELECT m.name, COUNT(*) AS n FROM members m JOIN loans l ON l.member_id = m.id GROUP BY m.id, m.name
      ORDER BY n DESC, m.id LIMIT 1`,
  },
  {
    schema: 'library',
    question: 'Members who have never borrowed anything',
    sql: 'SELECT name FROM members WHERE id NOT IN (SELECT member_id FROM loans)',
  },
  {
    schema: 'library',
    question: 'Average number of pages by genre',
    sql: 'SELECT genre, AVG(pages * 1.0) AS pages FROM books GROUP BY genre',
  },
  {
    schema: 'library',
    question: 'Authors whose year of birth is unknown',
    sql: 'SELECT name FROM authors WHERE born IS NULL',
  },
  {
    schema: 'library',
    question: 'The longest book of each genre: genre, title and pages',
    sql: `SELECT b.genre, b.title, b.pages FROM books b
      WHERE b.pages = (SELECT MAX(o.pages) FROM books o WHERE o.genre = b.genre)`,
  },
  {
    schema: 'library',
    question: 'Which titles of the branch Harbour are on loan right now?',
    sql: `SELECT DISTINCT b.title FROM open_loans l JOIN copies c ON c.id = l.copy_id JOIN books b ON b.id = c.book_id
      JOIN branches r ON r.id = c.branch_id WHERE r.name = 'Harbour'`,
  },
  { schema: 'library', question: 'What do readers think of the book Salt roads?', sql: null },
  { schema: 'library', question: 'When does the Harbour branch open on Sundays?', sql: null },

  {
    schema: 'fleet',
    question: 'How many vehicles does each depot have?',
    sql: `SELECT d.name, COUNT(*) AS n FROM depots d JOIN vehicles v ON v.depot_id = d.id GROUP BY d.name`,
  },
  {
    schema: 'fleet',
    question: 'Plates of all electric vehicles',
    sql: "SELECT plate FROM vehicles WHERE drive = 'electric'",
  },
  {
    schema: 'fleet',
    question: 'Drivers whose licence ends before the end of this year, soonest first',
    sql: "SELECT name, licence_until FROM drivers WHERE licence_until < '2027-01-01' ORDER BY licence_until",
    isOrdered: true,
  },
  {
    schema: 'fleet',
    question: 'Names of the drivers with the name of their boss',
    sql: 'SELECT d.name, b.name AS boss FROM drivers d JOIN drivers b ON b.id = d.boss_id',
  },
  {
    schema: 'fleet',
    question: 'Who is head of a depot, that is, has no boss?',
    sql: 'SELECT name FROM drivers WHERE boss_id IS NULL',
  },
  {
    schema: 'fleet',
    question: 'Which trips are still under way, by plate and driver?',
    sql: 'SELECT t.plate, d.name FROM trips t JOIN drivers d ON d.id = t.driver_id WHERE t.ended_at IS NULL',
  },
  {
    schema: 'fleet',
    question: 'Kilometres driven by each driver on finished trips, most first',
    sql: `SELECT d.name, SUM(t.distance_km) AS km FROM drivers d JOIN trips t ON t.driver_id = d.id
      WHERE t.ended_at IS NOT NULL GROUP BY d.id, d.name ORDER BY km DESC, d.id`,
    isOrdered: true,
  },
  {
    schema: 'fleet',
    question: 'The longest finished trip: plate and distance',
    sql: 'SELECT plate, distance_km FROM trips WHERE distance_km = (SELECT MAX(distance_km) FROM trips)',
  },
  {
    schema: 'fleet',
    question: 'Stops of trip 1 in their order',
    sql: 'SELECT place FROM stops WHERE trip_id = 1 ORDER BY "order"',
    mysql: 'SELECT place FROM stops WHERE trip_id = 1 ORDER BY `order`',
    isOrdered: true,
  },
  {
    schema: 'fleet',
    question: 'How many trips stopped in Hamburg?',
    sql: "SELECT COUNT(DISTINCT trip_id) AS n FROM stops WHERE place = 'Hamburg'",
  },
  {
    schema: 'fleet',
    question: 'What was spent on fuel for each vehicle?',
    sql: 'SELECT plate, SUM(litres * price_per_litre) AS spent FROM fuelings GROUP BY plate',
  },
  {
    schema: 'fleet',
    question: 'Repair costs by kind of vehicle',
    sql: 'SELECT v.kind, SUM(r.cost) AS cost FROM vehicles v JOIN repairs r ON r.plate = v.plate GROUP BY v.kind',
  },
  {
    schema: 'fleet',
    question: 'Vehicles that were never repaired',
    sql: 'SELECT plate FROM vehicles WHERE plate NOT IN (SELECT plate FROM repairs)',
  },
  {
    schema: 'fleet',
    question: 'Vehicles with more than 300,000 km, bought before 2018',
    sql: "SELECT plate FROM vehicles WHERE mileage_km > 300000 AND bought_on < '2018-01-01'",
  },
  {
    schema: 'fleet',
    question: 'Depots in which more than 5 percent of the parking places are taken by vehicles of ours',
    sql: `SELECT d.name FROM depots d JOIN vehicles v ON v.depot_id = d.id GROUP BY d.id, d.name, d.parking_places
      HAVING COUNT(*) * 20 > d.parking_places`,
  },
  { schema: 'fleet', question: 'Which driver was fined for speeding?', sql: null },
  { schema: 'fleet', question: 'How much do the drivers earn?', sql: null },
];
