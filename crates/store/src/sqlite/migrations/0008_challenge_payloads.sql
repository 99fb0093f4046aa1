-- The payload with which a client answered a challenge, kept until the verdict for a validation that is resumed after a
-- crash, and the public key (SubjectPublicKeyInfo) that a proof attests.

ALTER TABLE challenges ADD COLUMN payload BLOB;
ALTER TABLE challenges ADD COLUMN attested_key BLOB;
