-- additive
-- Several processes on one ledger: what they keep between them. None of it is a promise, and were all of it
-- lost, the records would say what is due.

-- Who works here, until when its last sign of life counts, and how much it has in hand.
CREATE TABLE workers (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  version    TEXT NOT NULL,
  started_at REAL NOT NULL,
  until      REAL NOT NULL,
  in_hand    INTEGER NOT NULL
);

-- Who leads. The epoch grows with each new leader, and is in each of its writes.
CREATE TABLE lead (
  epoch  INTEGER NOT NULL,
  worker TEXT NOT NULL,
  since  REAL NOT NULL,
  until  REAL NOT NULL
);
INSERT INTO lead VALUES (0, 'nobody', 0, 0);

-- Steps that the leader has decided and a worker is to carry out, or does (`worker`, `taken_at`).
CREATE TABLE jobs (
  id         INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL,
  key        TEXT NOT NULL,
  channel    TEXT NOT NULL,
  target     TEXT NOT NULL,
  lane       INTEGER NOT NULL,
  granted_at REAL NOT NULL,
  not_after  REAL NOT NULL,
  worker     TEXT,
  taken_at   REAL
);
-- One at a time for each place; of a create the claim itself sees to that.
CREATE UNIQUE INDEX jobs_place ON jobs (kind, key, channel, target) WHERE kind != 'create';
CREATE INDEX jobs_waiting ON jobs (id) WHERE worker IS NULL;
