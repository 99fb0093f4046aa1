-- Accounts, orders, authorizations, challenges, certificates, audit.
-- Ids are 16-byte UUIDs of version 7, so that new rows go to the end of their table; times are milliseconds UTC.
-- Columns without REFERENCES name records that may be gone: an issued certificate outlives its order.

CREATE TABLE accounts (
    id BLOB NOT NULL PRIMARY KEY,
    provisioner TEXT NOT NULL,
    thumbprint TEXT NOT NULL,
    key TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('valid', 'deactivated', 'revoked')),
    contact TEXT NOT NULL,
    terms_agreed INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (provisioner, thumbprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    provisioner TEXT NOT NULL,
    identifiers TEXT NOT NULL,
    not_before INTEGER,
    not_after INTEGER,
    expires_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'ready', 'processing', 'valid', 'invalid')),
    error TEXT,
    certificate_id BLOB,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_by_account ON orders (account_id);
CREATE INDEX orders_by_expiry ON orders (expires_at);

CREATE TABLE authorizations (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    provisioner TEXT NOT NULL,
    identifier_type TEXT NOT NULL,
    identifier TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked')),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX authorizations_by_account ON authorizations (account_id);
CREATE INDEX authorizations_by_expiry ON authorizations (expires_at);

CREATE TABLE order_authorizations (
    order_id BLOB NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    authorization_id BLOB NOT NULL REFERENCES authorizations (id),
    PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX order_authorizations_by_authorization ON order_authorizations (authorization_id);

CREATE TABLE challenges (
    id BLOB NOT NULL PRIMARY KEY,
    authorization_id BLOB NOT NULL REFERENCES authorizations (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    method TEXT NOT NULL,
    token TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'processing', 'valid', 'invalid')),
    validated_at INTEGER,
    error TEXT,
    evidence TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX challenges_by_authorization ON challenges (authorization_id, position);
CREATE INDEX challenges_unfinished ON challenges (id) WHERE status = 'processing';

-- What was handed out above each leaf, once for each distinct chain; the id is the SHA-256 of its certificates.
CREATE TABLE chains (
    id BLOB NOT NULL,
    position INTEGER NOT NULL,
    der BLOB NOT NULL,
    PRIMARY KEY (id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE certificates (
    id BLOB NOT NULL PRIMARY KEY,
    serial BLOB NOT NULL UNIQUE,
    der BLOB NOT NULL,
    chain_id BLOB NOT NULL,
    provisioner TEXT,
    account_id BLOB,
    order_id BLOB,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    names TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    renewed_from BLOB
) STRICT;
CREATE INDEX certificates_by_end ON certificates (not_after);

CREATE TABLE certificate_names (
    name TEXT NOT NULL,
    certificate_id BLOB NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
    PRIMARY KEY (name, certificate_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    provisioner TEXT,
    account_id BLOB,
    order_id BLOB,
    certificate_id BLOB,
    detail TEXT
) STRICT;
CREATE TRIGGER audit_is_not_rewritten BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
