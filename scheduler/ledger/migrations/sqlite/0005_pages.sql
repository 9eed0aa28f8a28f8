-- What the pages ask for: a day in its order, one person's and one schedule's history, what was given up, and
-- what was said about the whole account. None of them changes while an occurrence lives its life.
CREATE INDEX records_due ON records (due, key);
CREATE INDEX records_participant ON records (participant, due, key);
CREATE INDEX records_schedule ON records (schedule, due, key);
CREATE INDEX deliveries_given_up ON deliveries (at) WHERE state = 'given_up';
CREATE INDEX facts_account ON facts (id) WHERE key IS NULL AND kind != 'surveyed';
