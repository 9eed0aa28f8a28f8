-- What people ask for: pauses, skips of promises that are not written yet, ends and resends.

-- What opens from `since` on, and before `until`, is skipped (S5). A resume sets `until`; pauses that are over
-- stay for a while, for whatever is only written afterwards.
CREATE TABLE pauses (
  id      INTEGER PRIMARY KEY,
  breadth TEXT NOT NULL,
  name    TEXT NOT NULL,
  since   REAL NOT NULL,
  until   REAL,
  by      TEXT NOT NULL,
  why     TEXT
);

-- Promises that are taken back before they are written; a row goes when its promise comes.
CREATE TABLE skips (
  key   TEXT PRIMARY KEY,
  shuts REAL NOT NULL,
  at    REAL NOT NULL,
  by    TEXT NOT NULL,
  why   TEXT
) WITHOUT ROWID;

ALTER TABLE records ADD COLUMN end_asked_at REAL;
ALTER TABLE records ADD COLUMN resends INTEGER NOT NULL DEFAULT 0;
CREATE INDEX records_missed ON records (due) WHERE stage = 'missed';
