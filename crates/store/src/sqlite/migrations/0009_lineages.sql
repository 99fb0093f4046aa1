-- Lineages: a renewal over mutual TLS continues that of the certificate it is made from, an order begins one. A lineage
-- goes by the serial number of its first certificate, which has none in its own column. What a renewal is asked for
-- again lies with its certificate: account, profile, and for each name in the order of `names` its method or permit.

ALTER TABLE certificates ADD COLUMN lineage BLOB;
ALTER TABLE certificates ADD COLUMN profile TEXT;
ALTER TABLE certificates ADD COLUMN basis TEXT;

-- The lineage that a revocation ends: none where the certificate was superseded, which ends it and its ancestors.
ALTER TABLE revocations ADD COLUMN lineage BLOB;
CREATE INDEX revocations_by_lineage ON revocations (lineage) WHERE lineage IS NOT NULL;

-- Ancestors of superseded certificates, by serial number; some were never recorded themselves.
CREATE TABLE superseded (
    serial BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

UPDATE certificates SET
    profile = o.profile,
    basis = (
        SELECT json_group_array(basis) FROM (
            SELECT (
                SELECT CASE
                    WHEN a.permit_id IS NOT NULL THEN 'permit:' || lower(hex(a.permit_id))
                    ELSE (SELECT c.method FROM challenges c WHERE c.authorization_id = a.id AND c.status = 'valid')
                END
                FROM order_authorizations x JOIN authorizations a ON a.id = x.authorization_id
                WHERE x.order_id = o.id AND a.identifier = name.value
            ) AS basis
            FROM json_each(certificates.names) name ORDER BY name.key
        )
    )
FROM orders o WHERE o.certificate_id = certificates.id;

WITH RECURSIVE continued (id, serial, lineage, account_id, profile, basis) AS (
    SELECT c.id, c.serial, c.renewed_from, old.account_id, old.profile, old.basis
    FROM certificates c LEFT JOIN certificates old ON old.serial = c.renewed_from
    WHERE c.renewed_from IS NOT NULL AND c.order_id IS NULL
        AND (old.id IS NULL OR old.renewed_from IS NULL OR old.order_id IS NOT NULL)
    UNION ALL
    SELECT c.id, c.serial, o.lineage, o.account_id, o.profile, o.basis
    FROM continued o JOIN certificates c ON c.renewed_from = o.serial
    WHERE c.order_id IS NULL
)
UPDATE certificates SET
    lineage = continued.lineage,
    account_id = continued.account_id,
    profile = continued.profile,
    basis = continued.basis
FROM continued WHERE continued.id = certificates.id;

UPDATE revocations SET lineage = coalesce((SELECT c.lineage FROM certificates c WHERE c.serial = revocations.serial), serial)
WHERE reason <> 4;

INSERT INTO superseded (serial)
WITH RECURSIVE ancestors (serial) AS (
    SELECT c.renewed_from FROM revocations r JOIN certificates c ON c.serial = r.serial
    WHERE r.reason = 4 AND c.order_id IS NULL AND c.renewed_from IS NOT NULL
    UNION
    SELECT c.renewed_from FROM ancestors a JOIN certificates c ON c.serial = a.serial
    WHERE c.order_id IS NULL AND c.renewed_from IS NOT NULL
)
SELECT serial FROM ancestors;
