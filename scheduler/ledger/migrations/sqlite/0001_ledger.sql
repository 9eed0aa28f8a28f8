-- The ledger: promises and what became of them. Times are seconds since the epoch, UTC.

-- `call`, in the file's header: no other program's database is taken for a ledger.
PRAGMA application_id = 0x63616C6C;

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- Each configuration that was swapped in, resolved; a claim names the one whose terms it froze.
CREATE TABLE generations (
  id     INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  at     REAL NOT NULL,
  terms  TEXT NOT NULL
);

-- One row for each promise: what was promised, how far creation has come, the conversation.
CREATE TABLE records (
  key              TEXT NOT NULL UNIQUE,
  schedule         TEXT NOT NULL,
  slot             TEXT NOT NULL,
  date             TEXT NOT NULL,
  participant      TEXT,
  due              REAL NOT NULL,
  opens            REAL NOT NULL,
  shuts            REAL NOT NULL,
  max_call_s       INTEGER NOT NULL,
  absent_s         INTEGER NOT NULL,
  timezone         TEXT NOT NULL,
  private          INTEGER NOT NULL,
  stage            TEXT NOT NULL,
  reason           TEXT,
  starts_at        REAL NOT NULL,
  attempt          INTEGER NOT NULL,
  attempted_at     REAL,
  attempt_ended_at REAL,
  generation       INTEGER,
  mark             TEXT NOT NULL,
  looks            INTEGER NOT NULL,
  look_at          REAL,
  tries            INTEGER NOT NULL,
  faults           INTEGER NOT NULL,
  turned_away      TEXT,
  conversation_id  TEXT,
  url              TEXT,
  created_at       REAL,
  ended_at         REAL,
  inspect_at       REAL,
  inspected_at     REAL,
  end_at           REAL,
  not_there        INTEGER NOT NULL,
  -- what only the ledger needs: whom it is for (S6), and its place in line (S18)
  party            TEXT NOT NULL,
  overlap          TEXT NOT NULL,
  rank             INTEGER NOT NULL
);
CREATE INDEX records_line ON records (due, rank, key) WHERE stage = 'planned';
CREATE INDEX records_end ON records (end_at) WHERE end_at IS NOT NULL;
CREATE INDEX records_inspect ON records (inspect_at) WHERE inspect_at IS NOT NULL;
CREATE INDEX records_look ON records (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX records_held ON records (party) WHERE stage IN ('creating', 'live');
CREATE INDEX records_mark ON records (mark) WHERE mark != '';

-- The link on its way to one address.
CREATE TABLE deliveries (
  key       TEXT NOT NULL,
  channel   TEXT NOT NULL,
  target    TEXT NOT NULL,
  due       REAL NOT NULL,
  not_after REAL NOT NULL,
  state     TEXT NOT NULL,
  tries     INTEGER NOT NULL,
  at        REAL,
  reason    TEXT,
  PRIMARY KEY (key, channel, target)
) WITHOUT ROWID;

CREATE INDEX deliveries_open ON deliveries (due) WHERE state = 'open';

-- Conversations of ours that no record wants; `end_at` is null once they are over.
CREATE TABLE strays (
  key             TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  end_at          REAL,
  tries           INTEGER NOT NULL,
  PRIMARY KEY (key, conversation_id)
) WITHOUT ROWID;

CREATE INDEX strays_open ON strays (end_at) WHERE end_at IS NOT NULL;

-- Everything that was ever noted, in order; `key` is null for the whole account. Append-only.
CREATE TABLE facts (
  id   INTEGER PRIMARY KEY,
  key  TEXT,
  at   REAL NOT NULL,
  kind TEXT NOT NULL,
  data TEXT NOT NULL
);
CREATE INDEX facts_key ON facts (key);
CREATE INDEX facts_at ON facts (at);

-- Creation stopped for the whole account.
CREATE TABLE holds (
  reason TEXT PRIMARY KEY,
  since  REAL NOT NULL
) WITHOUT ROWID;

-- How many promises were ever written: what the conservation check counts against (S15).
CREATE TABLE tallies (
  schedule TEXT NOT NULL,
  date     TEXT NOT NULL,
  promised INTEGER NOT NULL,
  PRIMARY KEY (schedule, date)
) WITHOUT ROWID;
