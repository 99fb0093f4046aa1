-- The times that an order asked for, as it wrote them; a key finds its account at any provisioner.

ALTER TABLE orders ADD COLUMN not_before_text TEXT;
ALTER TABLE orders ADD COLUMN not_after_text TEXT;
CREATE INDEX accounts_by_thumbprint ON accounts (thumbprint);
