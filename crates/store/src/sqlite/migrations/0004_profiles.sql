-- The profile of an order's certificate (draft-ietf-acme-profiles); none where the provisioner offers none.

ALTER TABLE orders ADD COLUMN profile TEXT;
