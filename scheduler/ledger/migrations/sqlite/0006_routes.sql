-- What is due for one route, in words that every database understands: an index serves only its own.
DROP INDEX deliveries_route;
CREATE INDEX deliveries_route ON deliveries (channel, (CASE channel WHEN 'mail' THEN '' ELSE target END), not_after)
WHERE state = 'open';
