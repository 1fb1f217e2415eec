-- Times are UTC texts of fixed width. A row with deleted_at is kept for a day.
-- The *_key columns hold what is compared: without case and Unicode form.

CREATE TABLE tenants (
    id           TEXT PRIMARY KEY,
    name_key     TEXT NOT NULL,
    document     TEXT NOT NULL,
    revision     INTEGER NOT NULL,
    wrapped_key  BLOB,
    key_id       TEXT,
    key_version  INTEGER NOT NULL DEFAULT 0,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    deleted_at   TEXT
);

CREATE UNIQUE INDEX tenants_name ON tenants (name_key) WHERE deleted_at IS NULL;

CREATE TABLE folders (
    tenant       TEXT NOT NULL REFERENCES tenants (id),
    id           TEXT NOT NULL,
    name_key     TEXT NOT NULL,
    document     TEXT NOT NULL,
    revision     INTEGER NOT NULL,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    deleted_at   TEXT,
    PRIMARY KEY (tenant, id)
);

CREATE UNIQUE INDEX folders_name ON folders (tenant, name_key) WHERE deleted_at IS NULL;

CREATE TABLE folder_addresses (
    tenant       TEXT NOT NULL,
    address_key  TEXT NOT NULL,
    folder       TEXT NOT NULL,
    PRIMARY KEY (tenant, address_key),
    FOREIGN KEY (tenant, folder) REFERENCES folders (tenant, id)
);

CREATE INDEX folder_addresses_folder ON folder_addresses (tenant, folder);

CREATE TABLE mailboxes (
    tenant       TEXT NOT NULL REFERENCES tenants (id),
    id           TEXT NOT NULL,
    name_key     TEXT NOT NULL,
    username_key TEXT, -- NULL: no username yet
    document     TEXT NOT NULL,
    revision     INTEGER NOT NULL,
    password     BLOB,
    enabled_at   TEXT,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    deleted_at   TEXT,
    PRIMARY KEY (tenant, id)
);

CREATE UNIQUE INDEX mailboxes_name ON mailboxes (tenant, name_key) WHERE deleted_at IS NULL;
-- Over all tenants: no two mailboxes of the provider take mail from one account.
CREATE UNIQUE INDEX mailboxes_username ON mailboxes (username_key) WHERE deleted_at IS NULL;

CREATE TABLE mailbox_folders (
    tenant       TEXT NOT NULL,
    mailbox      TEXT NOT NULL,
    folder       TEXT NOT NULL,
    PRIMARY KEY (tenant, mailbox, folder),
    FOREIGN KEY (tenant, mailbox) REFERENCES mailboxes (tenant, id),
    FOREIGN KEY (tenant, folder) REFERENCES folders (tenant, id)
);

CREATE INDEX mailbox_folders_folder ON mailbox_folders (tenant, folder);

CREATE TABLE audit (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           TEXT NOT NULL,
    revision     INTEGER NOT NULL,
    actor        TEXT NOT NULL,
    role         TEXT NOT NULL,
    source       TEXT NOT NULL,
    kind         TEXT NOT NULL,
    tenant       TEXT NOT NULL,
    document     TEXT NOT NULL,
    change       TEXT NOT NULL,
    fields       TEXT NOT NULL -- JSON: [{"path", "before", "after"}]
);

CREATE INDEX audit_tenant ON audit (tenant, id);

-- What is committed and not yet published. The publisher deletes it.
CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id     TEXT NOT NULL,
    event        TEXT NOT NULL -- JSON of schemas.ConfigChange
);
