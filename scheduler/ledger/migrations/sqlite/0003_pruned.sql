-- How many records were forgotten because they were old, by what had become of them: with these counts a
-- day's promises still add up (S15).
CREATE TABLE pruned (
  schedule TEXT NOT NULL,
  date     TEXT NOT NULL,
  stage    TEXT NOT NULL,
  records  INTEGER NOT NULL,
  PRIMARY KEY (schedule, date, stage)
) WITHOUT ROWID;
