-- Authorizations that stand for the names below theirs, too (RFC 9444).

ALTER TABLE authorizations ADD COLUMN subdomains INTEGER NOT NULL DEFAULT 0;
