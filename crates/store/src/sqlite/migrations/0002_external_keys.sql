-- External account keys, and which account is bound to which; a removed key leaves no row.

CREATE TABLE external_keys (
    id TEXT NOT NULL PRIMARY KEY,
    provisioner TEXT NOT NULL,
    reference TEXT NOT NULL,
    secret BLOB NOT NULL,
    rules TEXT NOT NULL,
    accounts INTEGER NOT NULL,
    expires_at INTEGER,
    bound INTEGER NOT NULL DEFAULT 0,
    bound_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX external_keys_by_provisioner ON external_keys (provisioner, id);
CREATE UNIQUE INDEX external_keys_by_reference ON external_keys (provisioner, reference) WHERE reference <> '';

ALTER TABLE accounts ADD COLUMN external_key TEXT;
ALTER TABLE accounts ADD COLUMN external_binding TEXT;
CREATE INDEX accounts_by_external_key ON accounts (external_key) WHERE external_key IS NOT NULL;
