-- The thumbprint of the account's key when its client answered the challenge, kept until the verdict: a validation that
-- is resumed after a crash is judged by it, whatever key the account has by then.

ALTER TABLE challenges ADD COLUMN thumbprint TEXT;

-- A challenge gets a row when it is answered. Until then the authorization's row stands for all of its challenges: their
-- token, and the numbers of their methods in order. Rows of earlier releases stay as they are.

ALTER TABLE authorizations ADD COLUMN token TEXT;
ALTER TABLE authorizations ADD COLUMN methods TEXT;
-- Those that may serve another order; what an order waits for is found by the order.
DROP INDEX authorizations_by_name;
CREATE INDEX authorizations_by_name ON authorizations (account_id, identifier)
    WHERE status = 'valid' OR status = 'pending' AND ahead = 1;
