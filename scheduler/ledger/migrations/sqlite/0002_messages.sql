-- What is handed over for a delivery, byte for byte, from the moment its conversation is known until it is
-- delivered or given up (S27): a mail, or the body of a post. The log needs none.
CREATE TABLE messages (
  key     TEXT NOT NULL,
  channel TEXT NOT NULL,
  target  TEXT NOT NULL,
  bytes   BLOB NOT NULL,
  PRIMARY KEY (key, channel, target)
);

-- What is due for one route (the mail server, or a URL), those whose link dies soonest first.
CREATE INDEX deliveries_route ON deliveries (channel, iif(channel = 'mail', '', target), not_after)
WHERE state = 'open';
