CREATE TRIGGER record_added after insert on record begin
    update total set records = records + 1;
  end;

CREATE TRIGGER record_removed after delete on record begin
    update total set records = records - 1;
  end;

CREATE TABLE document (
  -- Purpose: list, replace and delete documents as a whole. Retention: until the document is deleted.
  key integer primary key,
  document_id text not null unique,
  metadata text not null check (json_valid(metadata))
) strict;

CREATE TABLE field (
  -- Purpose: filter by metadata, and give them back. Retention: until its record is deleted.
  record integer not null references record (key) on delete cascade,
  name text not null,
  kind integer not null check (kind between 0 and 3),
  value any,
  primary key (record, name)
) strict, without rowid;

CREATE TABLE migration (
    version integer primary key check (version > 0),
    name text not null
  ) strict;

CREATE TABLE passage (
  -- Purpose: answer with the text that was found; sealed databases only. Retention: until its record is deleted.
  record integer primary key references record (key) on delete cascade,
  text text not null
) strict;

CREATE TABLE record (
  -- Purpose: tell records apart. Retention: until the record or its document is deleted.
  key integer primary key,
  id text not null unique check (octet_length(id) > 0),
  document integer references document (key) on delete cascade,
  -- Purpose: cite a passage and prove that its text is unchanged. Headings in sealed databases only. Retention: the same.
  start_offset integer check (start_offset >= 0),
  end_offset integer check (end_offset >= start_offset),
  page integer check (page > 0),
  headings text check (json_valid(headings)),
  text_hash blob check (octet_length(text_hash) = 32)
) strict;

CREATE TABLE setting (
  -- Purpose: know how vectors are compared and what may be kept. Retention: until the database is dropped.
  only integer primary key check (only = 1),
  kind text not null check (kind in ('sealed', 'strict')),
  dimensions integer not null check (dimensions between 1 and 4096),
  metric text not null check (metric in ('cosine', 'dot', 'euclidean')),
  model text check (octet_length(model) between 1 and 256)
) strict;

CREATE TABLE staged (
  -- Purpose: what an upload has embedded so far. Text, words and headings in sealed databases only. Retention: until its
  -- upload ends, at most a day.
  key integer primary key,
  upload_id text not null references upload (upload_id) on delete cascade,
  start_offset integer not null,
  end_offset integer not null,
  page integer,
  headings text not null check (json_valid(headings)),
  text text,
  words blob,
  text_hash blob not null check (octet_length(text_hash) = 32),
  value blob not null
) strict;

CREATE TABLE total (
  -- Purpose: bounds without counting all records. Retention: until the database is dropped.
  only integer primary key check (only = 1),
  records integer not null check (records >= 0)
) strict;

CREATE TABLE upload (
  -- Purpose: tell how an upload went, and go on with an interrupted one. Retention: a day.
  upload_id text primary key check (octet_length(upload_id) between 1 and 128),
  document_id text not null,
  metadata text not null check (json_valid(metadata)),
  state text not null check (state in ('running', 'completed', 'failed')),
  passages integer not null check (passages >= 0),
  code text check (octet_length(code) <= 64),
  -- The process that runs it, a random number; an upload of another one was interrupted.
  run text not null check (octet_length(run) = 32),
  begun_at integer not null check (begun_at >= 0)
) strict, without rowid;

CREATE TABLE vector (
  -- Purpose: search by meaning. Retention: until its record is deleted.
  record integer primary key references record (key) on delete cascade,
  value blob not null check (octet_length(value) > 0 and octet_length(value) % 4 = 0)
) strict;

CREATE TABLE words (
  -- Purpose: search by words, which stand here as keyed hashes of four bytes, each with how often it occurs in a fifth.
  -- Retention: until its record is deleted.
  record integer primary key references record (key) on delete cascade,
  counts blob not null check (octet_length(counts) > 0 and octet_length(counts) % 5 = 0)
) strict;

CREATE INDEX field_value on field (name, kind, value);

CREATE INDEX record_document on record (document) where document is not null;

CREATE INDEX record_text on record (text_hash) where text_hash is not null;

CREATE INDEX staged_text on staged (text_hash);

CREATE INDEX staged_upload on staged (upload_id);
