-- Agreed terms, authorizations that serve later orders or were asked for ahead, and permits of the operator.

ALTER TABLE accounts ADD COLUMN terms TEXT;

ALTER TABLE authorizations ADD COLUMN ahead INTEGER NOT NULL DEFAULT 0;
ALTER TABLE authorizations ADD COLUMN permit_id BLOB;
-- Finds by account as the one before did, and by name within the account: still one index to write.
DROP INDEX authorizations_by_account;
CREATE INDEX authorizations_by_name ON authorizations (account_id, identifier);
CREATE INDEX authorizations_by_permit ON authorizations (permit_id) WHERE permit_id IS NOT NULL;

CREATE TABLE permits (
    id BLOB NOT NULL PRIMARY KEY,
    provisioner TEXT NOT NULL,
    account_id BLOB REFERENCES accounts (id),
    external_key TEXT,
    pattern TEXT NOT NULL,
    expires_at INTEGER,
    said_by TEXT NOT NULL,
    said_at INTEGER NOT NULL,
    CHECK ((account_id IS NULL) <> (external_key IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX permits_by_account ON permits (account_id);
CREATE INDEX permits_by_external_key ON permits (external_key);
CREATE INDEX permits_by_provisioner ON permits (provisioner);
