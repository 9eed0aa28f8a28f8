-- additive
-- Several processes on one ledger: what they keep between them. None of it is a promise, and were all of it
-- lost, the records would say what is due.

-- Who works here, until when its last sign of life counts, and how much it has in hand.
CREATE TABLE workers (
  id         TEXT COLLATE "C" PRIMARY KEY,
  name       TEXT COLLATE "C" NOT NULL,
  version    TEXT COLLATE "C" NOT NULL,
  started_at DOUBLE PRECISION NOT NULL,
  until      DOUBLE PRECISION NOT NULL,
  in_hand    BIGINT NOT NULL
);

-- Who leads. The epoch grows with each new leader, and is in each of its writes.
CREATE TABLE lead (
  epoch  BIGINT NOT NULL,
  worker TEXT COLLATE "C" NOT NULL,
  since  DOUBLE PRECISION NOT NULL,
  until  DOUBLE PRECISION NOT NULL
);
INSERT INTO lead VALUES (0, 'nobody', 0, 0);

-- Steps that the leader has decided and a worker is to carry out, or does (`worker`, `taken_at`).
CREATE TABLE jobs (
  id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind       TEXT COLLATE "C" NOT NULL,
  key        TEXT COLLATE "C" NOT NULL,
  channel    TEXT COLLATE "C" NOT NULL,
  target     TEXT COLLATE "C" NOT NULL,
  lane       BIGINT NOT NULL,
  granted_at DOUBLE PRECISION NOT NULL,
  not_after  DOUBLE PRECISION NOT NULL,
  worker     TEXT COLLATE "C",
  taken_at   DOUBLE PRECISION
);
-- One at a time for each place; of a create the claim itself sees to that.
CREATE UNIQUE INDEX jobs_place ON jobs (kind, key, channel, target) WHERE kind != 'create';
CREATE INDEX jobs_waiting ON jobs (id) WHERE worker IS NULL;
