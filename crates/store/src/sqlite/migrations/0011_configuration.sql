-- The configuration that was in force last: SHA-256 digests of both files in hexadecimal, and what it restricted.

CREATE TABLE configuration (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    ca_json TEXT NOT NULL,
    riser_toml TEXT,
    restrictions TEXT NOT NULL
) STRICT;
