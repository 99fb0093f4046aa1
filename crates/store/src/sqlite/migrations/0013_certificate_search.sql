-- Certificates are found by account, provisioner and time of issuance, and are deleted by the operator's rule. Their names refer to them
-- without a constraint: with one, each deletion would look for references in the whole table.

CREATE TABLE certificate_names_without_constraint (
    name TEXT NOT NULL,
    certificate_id BLOB NOT NULL,
    PRIMARY KEY (name, certificate_id)
) STRICT, WITHOUT ROWID;
INSERT INTO certificate_names_without_constraint SELECT name, certificate_id FROM certificate_names;
DROP TABLE certificate_names;
ALTER TABLE certificate_names_without_constraint RENAME TO certificate_names;

CREATE INDEX certificates_by_account ON certificates (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX certificates_by_provisioner ON certificates (provisioner) WHERE provisioner IS NOT NULL;
CREATE INDEX certificates_by_issue ON certificates (issued_at);

-- The latest end of a certificate that has been deleted. One that ended before, and that the store does not know, is not renewed.
CREATE TABLE deleted_certificates (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    ended_until INTEGER NOT NULL
) STRICT;
