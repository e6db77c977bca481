-- A public library: books, their copies in three branches, and who borrowed them.

CREATE TABLE authors (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  born INTEGER
);

CREATE TABLE books (
  id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  published INTEGER NOT NULL,
  genre TEXT NOT NULL,
  pages INTEGER NOT NULL
);

CREATE TABLE book_authors (
  book_id INTEGER NOT NULL REFERENCES books (id),
  author_id INTEGER NOT NULL REFERENCES authors (id),
  PRIMARY KEY (book_id, author_id)
);

CREATE TABLE branches (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  address TEXT NOT NULL
);

CREATE TABLE copies (
  id INTEGER PRIMARY KEY,
  book_id INTEGER NOT NULL REFERENCES books (id),
  branch_id INTEGER NOT NULL REFERENCES branches (id),
  state TEXT NOT NULL
);

CREATE TABLE members (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  joined_on DATE NOT NULL,
  blocked BOOLEAN NOT NULL
);

CREATE TABLE loans (
  id INTEGER PRIMARY KEY,
  copy_id INTEGER NOT NULL REFERENCES copies (id),
  member_id INTEGER NOT NULL REFERENCES members (id),
  borrowed_on DATE NOT NULL,
  due_on DATE NOT NULL,
  returned_on DATE
);

CREATE TABLE fines (
  id INTEGER PRIMARY KEY,
  loan_id INTEGER NOT NULL REFERENCES loans (id),
  amount NUMERIC(10, 2) NOT NULL,
  paid BOOLEAN NOT NULL
);

COMMENT ON TABLE copies IS 'One physical book each';
COMMENT ON COLUMN authors.born IS 'Year; NULL when unknown';
COMMENT ON COLUMN books.published IS 'Year';
COMMENT ON COLUMN books.genre IS 'novel, history, science, travel or poetry';
COMMENT ON COLUMN copies.state IS 'good or worn';
COMMENT ON COLUMN members.blocked IS 'May not borrow';
COMMENT ON COLUMN loans.returned_on IS 'NULL while it is out';
COMMENT ON COLUMN fines.amount IS 'EUR';

CREATE VIEW open_loans AS SELECT id, copy_id, member_id, borrowed_on, due_on FROM loans WHERE returned_on IS NULL;

INSERT INTO authors VALUES
  (1, 'Ines Falk', 1951),
  (2, 'Tomas Rey', 1938),
  (3, 'Aiko Mori', 1972),
  (4, 'Samuel Adeyemi', 1980),
  (5, 'Ruth Keller', 1965),
  (6, 'Pavel Dvorak', NULL);

INSERT INTO books VALUES
  (1, 'The long canal', 1988, 'novel', 157),
  (2, 'Salt roads', 1994, 'history', 194),
  (3, 'A field of glass', 2003, 'novel', 231),
  (4, 'Night trains', 2011, 'travel', 268),
  (5, 'The measured sky', 1979, 'science', 305),
  (6, 'Small engines', 2016, 'science', 342),
  (7, 'Letters to the coast', 1999, 'novel', 379),
  (8, 'Bread and bridges', 2008, 'history', 416),
  (9, 'The winter index', 2019, 'novel', 453),
  (10, 'Rivers of iron', 1985, 'history', 490),
  (11, 'Paper moons', 2014, 'poetry', 147),
  (12, 'On slow water', 2021, 'travel', 184),
  (13, 'The clockmaker''s garden', 1996, 'novel', 221),
  (14, 'Atlas of quiet places', 2018, 'travel', 258);

INSERT INTO book_authors VALUES
  (1, 1),
  (2, 2),
  (3, 1),
  (4, 3),
  (5, 2),
  (6, 4),
  (7, 1),
  (8, 5),
  (9, 3),
  (10, 2),
  (10, 5),
  (11, 6),
  (12, 3),
  (13, 1),
  (13, 4),
  (14, 5);

INSERT INTO branches VALUES
  (1, 'Central', 'Main Street 1'),
  (2, 'Harbour', 'Quay 7'),
  (3, 'Hillside', 'Upper Road 22');

INSERT INTO copies VALUES
  (1, 1, 3, 'good'),
  (2, 1, 2, 'good'),
  (3, 1, 1, 'good'),
  (4, 2, 3, 'good'),
  (5, 2, 2, 'good'),
  (6, 3, 1, 'good'),
  (7, 4, 3, 'worn'),
  (8, 4, 2, 'good'),
  (9, 4, 1, 'good'),
  (10, 4, 3, 'good'),
  (11, 5, 2, 'good'),
  (12, 5, 1, 'good'),
  (13, 6, 3, 'good'),
  (14, 7, 2, 'worn'),
  (15, 7, 1, 'good'),
  (16, 7, 3, 'good'),
  (17, 8, 2, 'good'),
  (18, 8, 1, 'good'),
  (19, 8, 3, 'good'),
  (20, 9, 2, 'good'),
  (21, 10, 1, 'worn'),
  (22, 10, 3, 'good'),
  (23, 10, 2, 'good'),
  (24, 11, 1, 'good'),
  (25, 11, 3, 'good'),
  (26, 12, 2, 'good'),
  (27, 12, 1, 'good'),
  (28, 13, 3, 'worn'),
  (29, 13, 2, 'good'),
  (30, 13, 1, 'good'),
  (31, 14, 3, 'good'),
  (32, 14, 2, 'good');

INSERT INTO members VALUES
  (1, 'Olga Brandt', '2019-05-04', FALSE),
  (2, 'Peter Quist', '2020-09-07', FALSE),
  (3, 'Quentin Moss', '2021-01-10', TRUE),
  (4, 'Rosa Lima', '2022-05-13', FALSE),
  (5, 'Sven Dahl', '2023-09-16', FALSE),
  (6, 'Tina Wolf', '2024-01-19', FALSE),
  (7, 'Umar Aziz', '2025-05-22', FALSE),
  (8, 'Vera Klein', '2018-09-25', FALSE),
  (9, 'Willem Bos', '2019-01-01', TRUE),
  (10, 'Xenia Popa', '2020-05-04', FALSE),
  (11, 'Yusuf Demir', '2021-09-07', FALSE),
  (12, 'Zoe Hart', '2022-01-10', FALSE);

INSERT INTO loans VALUES
  (1, 26, 8, '2026-06-03', '2026-07-01', '2026-07-03'),
  (2, 5, 4, '2026-11-10', '2026-12-08', '2026-11-22'),
  (3, 24, 3, '2026-05-05', '2026-06-02', '2026-05-22'),
  (4, 7, 7, '2026-08-06', '2026-09-03', '2026-08-23'),
  (5, 11, 7, '2026-09-13', '2026-10-11', '2026-09-28'),
  (6, 23, 6, '2026-02-24', '2026-03-24', '2026-03-20'),
  (7, 30, 8, '2026-01-13', '2026-02-10', '2026-02-03'),
  (8, 5, 2, '2026-04-04', '2026-05-02', NULL),
  (9, 18, 1, '2026-03-09', '2026-04-06', '2026-04-08'),
  (10, 17, 7, '2026-03-18', '2026-04-15', '2026-04-26'),
  (11, 32, 6, '2026-02-09', '2026-03-09', NULL),
  (12, 12, 7, '2026-02-09', '2026-03-09', '2026-02-17'),
  (13, 17, 2, '2026-10-28', '2026-11-25', NULL),
  (14, 17, 2, '2026-08-01', '2026-08-29', '2026-09-08'),
  (15, 27, 5, '2026-10-05', '2026-11-02', NULL),
  (16, 16, 2, '2026-03-09', '2026-04-06', NULL),
  (17, 13, 5, '2026-11-10', '2026-12-08', NULL),
  (18, 19, 8, '2026-09-22', '2026-10-20', NULL),
  (19, 23, 1, '2026-05-02', '2026-05-30', NULL),
  (20, 13, 9, '2026-08-08', '2026-09-05', '2026-08-17'),
  (21, 28, 11, '2026-08-18', '2026-09-15', '2026-09-15'),
  (22, 20, 4, '2026-04-11', '2026-05-09', NULL),
  (23, 9, 7, '2026-06-02', '2026-06-30', '2026-06-05'),
  (24, 5, 11, '2026-05-14', '2026-06-11', NULL),
  (25, 6, 11, '2026-07-28', '2026-08-25', '2026-08-18'),
  (26, 16, 5, '2026-01-15', '2026-02-12', NULL),
  (27, 18, 8, '2026-01-09', '2026-02-06', '2026-02-02'),
  (28, 21, 4, '2026-01-10', '2026-02-07', NULL),
  (29, 12, 1, '2026-06-13', '2026-07-11', NULL),
  (30, 18, 9, '2026-11-07', '2026-12-05', NULL),
  (31, 1, 2, '2026-05-27', '2026-06-24', NULL),
  (32, 26, 10, '2026-01-13', '2026-02-10', NULL),
  (33, 20, 11, '2026-04-03', '2026-05-01', '2026-05-09'),
  (34, 10, 11, '2026-10-13', '2026-11-10', '2026-11-16'),
  (35, 10, 5, '2026-10-21', '2026-11-18', NULL),
  (36, 28, 9, '2026-03-17', '2026-04-14', '2026-04-25'),
  (37, 2, 11, '2026-10-26', '2026-11-23', '2026-11-12'),
  (38, 6, 1, '2026-01-05', '2026-02-02', '2026-01-14'),
  (39, 25, 8, '2026-09-02', '2026-09-30', '2026-10-09'),
  (40, 16, 8, '2026-05-01', '2026-05-29', '2026-05-08'),
  (41, 6, 11, '2026-09-03', '2026-10-01', '2026-10-06'),
  (42, 17, 2, '2026-05-08', '2026-06-05', '2026-05-24'),
  (43, 15, 11, '2026-08-16', '2026-09-13', '2026-08-23'),
  (44, 31, 11, '2026-05-25', '2026-06-22', NULL),
  (45, 13, 2, '2026-10-05', '2026-11-02', '2026-10-27');

INSERT INTO fines VALUES
  (1, 1, 0.50, TRUE),
  (2, 9, 0.50, TRUE),
  (3, 10, 2.75, FALSE),
  (4, 14, 2.50, TRUE),
  (5, 33, 2.00, TRUE),
  (6, 34, 1.50, FALSE),
  (7, 36, 2.75, TRUE),
  (8, 39, 2.25, TRUE),
  (9, 41, 1.25, FALSE);
