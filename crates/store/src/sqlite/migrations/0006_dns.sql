-- Records in the DNS may name the account by its URL, which depends on the host name that its client uses: it is kept
-- for whoever resumes a validation after a crash.

ALTER TABLE challenges ADD COLUMN account_url TEXT;
