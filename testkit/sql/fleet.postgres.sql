-- Vehicles of three depots, their trips and what they cost. One column has the name of a keyword.

CREATE TABLE depots (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  city TEXT NOT NULL,
  parking_places INTEGER NOT NULL
);

CREATE TABLE drivers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  depot_id INTEGER NOT NULL REFERENCES depots (id),
  boss_id INTEGER REFERENCES drivers (id),
  licence_until DATE NOT NULL
);

CREATE TABLE vehicles (
  plate TEXT PRIMARY KEY,
  depot_id INTEGER NOT NULL REFERENCES depots (id),
  kind TEXT NOT NULL,
  drive TEXT NOT NULL,
  bought_on DATE NOT NULL,
  mileage_km INTEGER NOT NULL
);

CREATE TABLE trips (
  id INTEGER PRIMARY KEY,
  plate TEXT NOT NULL REFERENCES vehicles (plate),
  driver_id INTEGER NOT NULL REFERENCES drivers (id),
  started_at TIMESTAMP NOT NULL,
  ended_at TIMESTAMP,
  distance_km INTEGER
);

CREATE TABLE stops (
  id INTEGER PRIMARY KEY,
  trip_id INTEGER NOT NULL REFERENCES trips (id),
  "order" INTEGER NOT NULL,
  place TEXT NOT NULL
);

CREATE TABLE fuelings (
  id INTEGER PRIMARY KEY,
  plate TEXT NOT NULL REFERENCES vehicles (plate),
  fuelled_on DATE NOT NULL,
  litres NUMERIC(10, 2) NOT NULL,
  price_per_litre NUMERIC(10, 2) NOT NULL
);

CREATE TABLE repairs (
  id INTEGER PRIMARY KEY,
  plate TEXT NOT NULL REFERENCES vehicles (plate),
  repaired_on DATE NOT NULL,
  part TEXT NOT NULL,
  cost NUMERIC(10, 2) NOT NULL
);

COMMENT ON COLUMN drivers.boss_id IS 'NULL for heads of a depot';
COMMENT ON COLUMN vehicles.kind IS 'van or truck';
COMMENT ON COLUMN vehicles.drive IS 'diesel, gas or electric';
COMMENT ON COLUMN trips.ended_at IS 'NULL while under way';
COMMENT ON COLUMN trips.distance_km IS 'NULL while under way';
COMMENT ON COLUMN stops."order" IS 'From 1 within the trip';
COMMENT ON COLUMN fuelings.price_per_litre IS 'EUR';
COMMENT ON COLUMN repairs.cost IS 'EUR';

INSERT INTO depots VALUES
  (1, 'North', 'Kiel', 40),
  (2, 'West', 'Essen', 65),
  (3, 'South', 'Ulm', 30);

INSERT INTO drivers VALUES
  (1, 'Anna Voss', 1, NULL, '2031-04-30'),
  (2, 'Bert Klee', 1, 1, '2027-01-15'),
  (3, 'Cem Aydin', 1, 1, '2026-12-01'),
  (4, 'Dora Funk', 2, NULL, '2029-08-08'),
  (5, 'Emil Graf', 2, 4, '2026-10-10'),
  (6, 'Fatma Celik', 2, 4, '2030-02-28'),
  (7, 'Gerd Ott', 3, NULL, '2028-06-06'),
  (8, 'Heidi Moor', 3, 7, '2027-09-19'),
  (9, 'Igor Lang', 3, 7, '2026-11-30');

INSERT INTO vehicles VALUES
  ('KI-A 101', 1, 'van', 'diesel', '2019-03-01', 182400),
  ('KI-A 102', 1, 'van', 'electric', '2023-05-12', 41200),
  ('KI-T 200', 1, 'truck', 'diesel', '2017-09-30', 402100),
  ('E-B 301', 2, 'van', 'diesel', '2020-01-20', 156000),
  ('E-B 302', 2, 'truck', 'diesel', '2018-11-11', 388700),
  ('E-B 303', 2, 'truck', 'gas', '2022-02-02', 120300),
  ('UL-C 401', 3, 'van', 'electric', '2024-07-01', 18900),
  ('UL-C 402', 3, 'truck', 'diesel', '2016-04-04', 512000);

INSERT INTO trips VALUES
  (1, 'KI-T 200', 1, '2026-09-02 12:30:00', '2026-09-02 15:53:00', 136),
  (2, 'E-B 302', 5, '2026-09-15 06:15:00', '2026-09-15 12:59:00', 354),
  (3, 'KI-A 102', 3, '2026-09-09 11:15:00', '2026-09-09 16:04:00', 250),
  (4, 'KI-T 200', 3, '2026-11-17 09:00:00', '2026-11-17 16:52:00', 408),
  (5, 'KI-T 200', 1, '2026-09-22 12:45:00', '2026-09-22 19:59:00', 344),
  (6, 'UL-C 401', 8, '2026-06-11 05:30:00', '2026-06-11 13:04:00', 381),
  (7, 'E-B 302', 5, '2026-08-03 11:45:00', '2026-08-03 23:40:00', 638),
  (8, 'E-B 302', 4, '2026-06-22 09:15:00', '2026-06-22 15:01:00', 290),
  (9, 'E-B 303', 5, '2026-06-21 11:15:00', '2026-06-21 13:36:00', 117),
  (10, 'E-B 302', 5, '2026-06-18 07:15:00', '2026-06-18 17:20:00', 518),
  (11, 'E-B 302', 5, '2026-11-08 09:45:00', '2026-11-08 21:42:00', 605),
  (12, 'KI-A 102', 1, '2026-10-16 13:15:00', '2026-10-16 22:53:00', 498),
  (13, 'E-B 301', 4, '2026-07-11 13:00:00', '2026-07-11 20:02:00', 361),
  (14, 'UL-C 401', 8, '2026-09-17 08:45:00', '2026-09-17 14:58:00', 311),
  (15, 'E-B 303', 4, '2026-11-17 13:15:00', '2026-11-17 16:03:00', 129),
  (16, 'UL-C 402', 8, '2026-08-01 07:00:00', '2026-08-01 16:32:00', 470),
  (17, 'KI-A 102', 2, '2026-10-15 12:15:00', '2026-10-15 15:19:00', 146),
  (18, 'KI-A 102', 3, '2026-11-21 12:00:00', '2026-11-21 23:57:00', 599),
  (19, 'E-B 301', 6, '2026-06-21 09:15:00', '2026-06-21 15:19:00', 292),
  (20, 'E-B 302', 6, '2026-10-07 11:30:00', '2026-10-07 17:19:00', 263),
  (21, 'E-B 302', 5, '2026-11-08 12:15:00', '2026-11-08 23:34:00', 595),
  (22, 'KI-A 101', 1, '2026-07-16 15:45:00', '2026-07-16 18:20:00', 118),
  (23, 'E-B 301', 5, '2026-06-11 11:30:00', '2026-06-11 19:56:00', 440),
  (24, 'KI-A 102', 1, '2026-09-07 09:15:00', '2026-09-07 14:52:00', 271),
  (25, 'KI-A 102', 3, '2026-09-20 07:15:00', '2026-09-20 17:35:00', 531),
  (26, 'E-B 301', 4, '2026-10-05 11:00:00', '2026-10-05 13:06:00', 96),
  (27, 'KI-A 102', 1, '2026-08-07 07:45:00', '2026-08-07 09:27:00', 67),
  (28, 'KI-T 200', 1, '2026-06-03 09:00:00', '2026-06-03 16:49:00', 394),
  (29, 'UL-C 401', 8, '2026-08-14 06:00:00', '2026-08-14 15:52:00', 519),
  (30, 'E-B 303', 5, '2026-11-16 05:45:00', '2026-11-16 11:51:00', 288),
  (31, 'UL-C 402', 7, '2026-06-09 08:00:00', '2026-06-09 15:33:00', 382),
  (32, 'E-B 303', 5, '2026-08-01 14:00:00', '2026-08-01 15:28:00', 59),
  (33, 'UL-C 401', 8, '2026-09-16 07:45:00', '2026-09-16 11:59:00', 222),
  (34, 'E-B 303', 5, '2026-08-20 06:15:00', NULL, NULL),
  (35, 'KI-A 102', 3, '2026-06-16 13:30:00', '2026-06-16 17:45:00', 199),
  (36, 'KI-A 102', 1, '2026-06-14 12:45:00', NULL, NULL);

INSERT INTO stops VALUES
  (1, 1, 1, 'Augsburg'),
  (2, 1, 2, 'Dortmund'),
  (3, 2, 1, 'Kiel'),
  (4, 2, 2, 'Dortmund'),
  (5, 2, 3, 'Augsburg'),
  (6, 3, 1, 'Hamburg'),
  (7, 3, 2, 'Bremen'),
  (8, 3, 3, 'Dortmund'),
  (9, 3, 4, 'Munich'),
  (10, 4, 1, 'Augsburg'),
  (11, 4, 2, 'Ulm'),
  (12, 4, 3, 'Kiel'),
  (13, 5, 1, 'Ulm'),
  (14, 5, 2, 'Kassel'),
  (15, 6, 1, 'Essen'),
  (16, 6, 2, 'Kiel'),
  (17, 7, 1, 'Ulm'),
  (18, 7, 2, 'Dortmund'),
  (19, 7, 3, 'Kiel'),
  (20, 8, 1, 'Munich'),
  (21, 8, 2, 'Kassel'),
  (22, 8, 3, 'Essen'),
  (23, 9, 1, 'Ulm'),
  (24, 9, 2, 'Augsburg'),
  (25, 9, 3, 'Bremen'),
  (26, 9, 4, 'Kassel'),
  (27, 10, 1, 'Dortmund'),
  (28, 10, 2, 'Frankfurt'),
  (29, 10, 3, 'Munich'),
  (30, 11, 1, 'Hamburg'),
  (31, 11, 2, 'Bremen'),
  (32, 11, 3, 'Munich'),
  (33, 12, 1, 'Ulm'),
  (34, 12, 2, 'Bremen'),
  (35, 12, 3, 'Essen'),
  (36, 13, 1, 'Dortmund'),
  (37, 13, 2, 'Essen'),
  (38, 13, 3, 'Kiel'),
  (39, 14, 1, 'Augsburg'),
  (40, 14, 2, 'Dortmund'),
  (41, 15, 1, 'Ulm'),
  (42, 15, 2, 'Frankfurt'),
  (43, 16, 1, 'Frankfurt'),
  (44, 16, 2, 'Augsburg'),
  (45, 16, 3, 'Kiel'),
  (46, 17, 1, 'Bremen'),
  (47, 17, 2, 'Munich'),
  (48, 18, 1, 'Kiel'),
  (49, 18, 2, 'Bremen'),
  (50, 19, 1, 'Ulm'),
  (51, 19, 2, 'Hamburg'),
  (52, 19, 3, 'Munich'),
  (53, 19, 4, 'Kiel'),
  (54, 20, 1, 'Kiel'),
  (55, 20, 2, 'Frankfurt'),
  (56, 20, 3, 'Dortmund'),
  (57, 20, 4, 'Essen'),
  (58, 21, 1, 'Ulm'),
  (59, 21, 2, 'Dortmund'),
  (60, 22, 1, 'Ulm'),
  (61, 22, 2, 'Kassel'),
  (62, 23, 1, 'Dortmund'),
  (63, 23, 2, 'Munich'),
  (64, 24, 1, 'Dortmund'),
  (65, 24, 2, 'Frankfurt'),
  (66, 25, 1, 'Kiel'),
  (67, 25, 2, 'Bremen'),
  (68, 25, 3, 'Ulm'),
  (69, 25, 4, 'Frankfurt'),
  (70, 26, 1, 'Augsburg'),
  (71, 26, 2, 'Kassel'),
  (72, 26, 3, 'Hamburg'),
  (73, 27, 1, 'Ulm'),
  (74, 27, 2, 'Kassel'),
  (75, 27, 3, 'Munich'),
  (76, 27, 4, 'Essen'),
  (77, 28, 1, 'Munich'),
  (78, 28, 2, 'Essen'),
  (79, 29, 1, 'Munich'),
  (80, 29, 2, 'Augsburg'),
  (81, 29, 3, 'Essen'),
  (82, 30, 1, 'Kiel'),
  (83, 30, 2, 'Ulm'),
  (84, 30, 3, 'Frankfurt'),
  (85, 31, 1, 'Kassel'),
  (86, 31, 2, 'Kiel'),
  (87, 31, 3, 'Dortmund'),
  (88, 32, 1, 'Augsburg'),
  (89, 32, 2, 'Frankfurt'),
  (90, 33, 1, 'Dortmund'),
  (91, 33, 2, 'Bremen'),
  (92, 33, 3, 'Essen'),
  (93, 33, 4, 'Munich'),
  (94, 34, 1, 'Essen'),
  (95, 34, 2, 'Ulm'),
  (96, 35, 1, 'Hamburg'),
  (97, 35, 2, 'Dortmund'),
  (98, 36, 1, 'Bremen'),
  (99, 36, 2, 'Ulm');

INSERT INTO fuelings VALUES
  (1, 'E-B 302', '2026-10-22', 126.20, 1.89),
  (2, 'UL-C 402', '2026-06-10', 150.30, 1.72),
  (3, 'E-B 303', '2026-08-12', 134.00, 1.71),
  (4, 'KI-T 200', '2026-09-08', 106.00, 1.70),
  (5, 'KI-T 200', '2026-07-10', 107.10, 1.75),
  (6, 'KI-A 101', '2026-09-09', 130.70, 1.87),
  (7, 'E-B 303', '2026-07-21', 71.10, 1.84),
  (8, 'KI-A 101', '2026-06-01', 224.40, 1.69),
  (9, 'E-B 302', '2026-08-02', 150.20, 1.69),
  (10, 'KI-A 101', '2026-06-07', 109.50, 1.59),
  (11, 'E-B 301', '2026-10-06', 213.90, 1.71),
  (12, 'UL-C 402', '2026-06-04', 173.20, 1.68),
  (13, 'KI-A 101', '2026-08-11', 87.90, 1.57),
  (14, 'KI-T 200', '2026-08-02', 113.30, 1.55),
  (15, 'E-B 301', '2026-09-22', 182.20, 1.66),
  (16, 'E-B 303', '2026-08-03', 113.30, 1.57),
  (17, 'E-B 302', '2026-10-16', 55.90, 1.81),
  (18, 'KI-A 101', '2026-09-22', 93.30, 1.89),
  (19, 'KI-A 101', '2026-11-06', 192.90, 1.72),
  (20, 'E-B 302', '2026-08-22', 155.90, 1.81),
  (21, 'KI-A 101', '2026-08-19', 176.30, 1.81),
  (22, 'E-B 302', '2026-06-12', 110.70, 1.80),
  (23, 'UL-C 402', '2026-09-07', 32.40, 1.82),
  (24, 'KI-T 200', '2026-09-04', 67.00, 1.80),
  (25, 'E-B 303', '2026-08-15', 96.50, 1.63),
  (26, 'KI-A 101', '2026-06-18', 88.30, 1.80),
  (27, 'KI-A 101', '2026-10-20', 181.80, 1.87),
  (28, 'KI-T 200', '2026-07-12', 146.00, 1.65),
  (29, 'E-B 303', '2026-07-03', 74.50, 1.79),
  (30, 'E-B 302', '2026-07-10', 81.80, 1.57);

INSERT INTO repairs VALUES
  (1, 'KI-A 101', '2026-06-17', 'brakes', 640.00),
  (2, 'KI-T 200', '2026-07-02', 'gearbox', 4200.00),
  (3, 'E-B 302', '2026-07-21', 'tyres', 1180.00),
  (4, 'UL-C 402', '2026-08-05', 'engine', 7600.00),
  (5, 'E-B 301', '2026-09-13', 'brakes', 580.50),
  (6, 'KI-T 200', '2026-10-01', 'tyres', 1240.00),
  (7, 'UL-C 402', '2026-10-28', 'lights', 95.00);
