-- Revocations, by serial number; keys that were revoked because they are compromised, by the SHA-256 of their bits.

CREATE TABLE revocations (
    serial BLOB NOT NULL PRIMARY KEY,
    revoked_at INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    authority TEXT NOT NULL CHECK (authority IN ('account', 'names', 'key')),
    account_id BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE compromised_keys (
    digest BLOB NOT NULL PRIMARY KEY,
    serial BLOB NOT NULL
) STRICT, WITHOUT ROWID;
