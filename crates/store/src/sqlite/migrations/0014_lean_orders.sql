-- An authorization gets a row when it is touched. Until then the row of its order stands for it, and its id names the
-- order and its place there. Rows of earlier releases stay as they are.
--
-- For each place 16 octets, the token of its challenges; zeros where the authorization has a row from the start.
ALTER TABLE orders ADD COLUMN tokens BLOB;
-- The numbers of their methods as hexadecimal digits: one list for all places, or one for each with commas between them.
ALTER TABLE orders ADD COLUMN methods TEXT;
-- Places whose authorization is not just for the identifier at the same place: place, identifier, how many of its
-- characters are left out at its beginning, and whether the subdomains are included.
ALTER TABLE orders ADD COLUMN subjects TEXT;
-- When they expire, unless that is when the order does.
ALTER TABLE orders ADD COLUMN authorizations_expire_at INTEGER;

-- The challenge that decided an authorization is in its row, by the number of its method, unless it has a row of its own.
ALTER TABLE authorizations ADD COLUMN decided INTEGER;
ALTER TABLE authorizations ADD COLUMN validated_at INTEGER;
ALTER TABLE authorizations ADD COLUMN error TEXT;
ALTER TABLE authorizations ADD COLUMN evidence TEXT;
ALTER TABLE authorizations ADD COLUMN attested_key BLOB;

-- A sweep goes through orders and authorizations by their ids, which begin with the time.
DROP INDEX orders_by_expiry;
DROP INDEX authorizations_by_expiry;
