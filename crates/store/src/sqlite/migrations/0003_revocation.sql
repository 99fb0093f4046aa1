-- Revocations, renewal windows, replacements. Revocations go by serial number; keys that were revoked because they are compromised, by the SHA-256 of their bits.

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

-- Windows that an operator has set, for one certificate or for many; the newest that fits a certificate counts.
CREATE TABLE renewal_windows (
    id INTEGER NOT NULL PRIMARY KEY,
    serial BLOB,
    provisioner TEXT,
    issued_before INTEGER,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    explanation TEXT,
    CHECK ((serial IS NULL) = (issued_before IS NOT NULL))
) STRICT;
CREATE INDEX renewal_windows_by_serial ON renewal_windows (serial);

-- The certificate that an order replaces, by its name; indexes of what is rare, so that plain orders do not pay.
ALTER TABLE orders ADD COLUMN replaces TEXT;
CREATE INDEX orders_by_replaced ON orders (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX certificates_by_replaced ON certificates (renewed_from) WHERE renewed_from IS NOT NULL;
