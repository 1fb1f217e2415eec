-- Package account. Of every secret only a hash is kept: argon2id of what people
-- choose, SHA-256 of what is 256 random bits.

CREATE TABLE accounts (
    name_key     TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    display_name TEXT NOT NULL,
    role         TEXT NOT NULL,
    tenant       TEXT NOT NULL, -- '' for the landlord's people
    issuer       TEXT, -- of an account of OpenID Connect, with
    subject      TEXT,
    password     TEXT, -- PHC string; NULL: none yet, or an account of OpenID Connect
    revision     INTEGER NOT NULL,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    signed_in_at TEXT,
    disabled_at  TEXT
);

CREATE UNIQUE INDEX accounts_identity ON accounts (issuer, subject);
CREATE INDEX accounts_tenant ON accounts (tenant);

CREATE TABLE account_sessions (
    id           TEXT PRIMARY KEY,
    account      TEXT NOT NULL REFERENCES accounts (name_key) ON DELETE CASCADE,
    hash         BLOB NOT NULL,
    source       TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    seen_at      TEXT NOT NULL,
    expires_at   TEXT NOT NULL
);

CREATE INDEX account_sessions_account ON account_sessions (account);

CREATE TABLE account_tokens (
    id           TEXT PRIMARY KEY,
    account      TEXT NOT NULL REFERENCES accounts (name_key) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    tenant       TEXT NOT NULL,
    hash         BLOB NOT NULL,
    created_at   TEXT NOT NULL,
    expires_at   TEXT NOT NULL,
    used_at      TEXT,
    used_from    TEXT NOT NULL
);

CREATE UNIQUE INDEX account_tokens_name ON account_tokens (account, name);
CREATE INDEX account_tokens_tenant ON account_tokens (tenant);

-- One-time links: to set a password, or, without an account, to make the first one.
CREATE TABLE account_links (
    id           TEXT PRIMARY KEY,
    account      TEXT REFERENCES accounts (name_key) ON DELETE CASCADE,
    hash         BLOB NOT NULL,
    created_at   TEXT NOT NULL,
    expires_at   TEXT NOT NULL
);

CREATE INDEX account_links_account ON account_links (account);

-- Failed attempts to sign in, of all replicas.
CREATE TABLE account_failures (
    subject       TEXT PRIMARY KEY, -- an address, or a short hash of what was typed as the name
    failures      INTEGER NOT NULL,
    blocked_until TEXT NOT NULL,
    forget_at     TEXT NOT NULL,
    audited_at    TEXT NOT NULL -- when a refusal was last written to the audit
);

-- Another tenant may get the id of a deleted one, and must not get its people.
CREATE TRIGGER accounts_of_deleted_tenant AFTER UPDATE OF deleted_at ON tenants WHEN NEW.deleted_at IS NOT NULL
BEGIN
    DELETE FROM account_tokens WHERE tenant = NEW.id;
    DELETE FROM accounts WHERE tenant = NEW.id;
END;
