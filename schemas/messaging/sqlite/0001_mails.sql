-- The messaging database, version 1. Tables belong to mailyard and may change;
-- the views v1_* are the contract (README.md).
-- Times are text in UTC, YYYY-MM-DDTHH:MM:SS.ffffffZ; JSON is text; booleans are 0 and 1.

CREATE TABLE mails (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice, even after a deletion
    tenant          TEXT NOT NULL,
    mail_id         TEXT NOT NULL UNIQUE,
    -- tenant/mailbox/uidvalidity/uid: the idempotency key of the pipeline.
    mail_key        TEXT NOT NULL UNIQUE,
    mailbox         TEXT NOT NULL,
    uidvalidity     INTEGER NOT NULL,
    uid             INTEGER NOT NULL,
    lane            TEXT NOT NULL,
    size            INTEGER NOT NULL,
    sha256          TEXT NOT NULL,
    verdict         TEXT NOT NULL,
    reason          TEXT NOT NULL,
    revision        INTEGER NOT NULL,
    message_id      TEXT NOT NULL,
    in_reply_to     TEXT NOT NULL,
    subject         TEXT NOT NULL,
    from_name       TEXT NOT NULL,
    from_address    TEXT NOT NULL,
    bounce          INTEGER NOT NULL,
    auto_reply      INTEGER NOT NULL,
    auto_submitted  TEXT NOT NULL,
    item_count      INTEGER NOT NULL,
    attachment_count INTEGER NOT NULL,
    header_only     INTEGER NOT NULL,
    internal_at     TEXT,
    sent_at         TEXT,
    fetched_at      TEXT,
    classified_at   TEXT,
    persisted_at    TEXT NOT NULL,
    disposed_at     TEXT,
    disposed_method TEXT NOT NULL DEFAULT '',
    disposed_to     TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX mails_tenant ON mails (tenant, seq);
CREATE INDEX mails_mailbox ON mails (tenant, mailbox, seq);
CREATE INDEX mails_message_id ON mails (tenant, message_id) WHERE message_id <> '';

-- Mail that is stored but, as far as is known, still in an inbox: few rows.
-- Recognises mail after a change of UIDVALIDITY, and answers what is stuck.
CREATE TABLE undisposed (
    mail_seq    INTEGER PRIMARY KEY,
    tenant      TEXT NOT NULL,
    mailbox     TEXT NOT NULL,
    uidvalidity INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    persisted_at TEXT NOT NULL
) STRICT;
CREATE INDEX undisposed_sha256 ON undisposed (sha256, tenant, mailbox, uidvalidity);

-- One row per mail: all that is wide, so that recording a disposal does not
-- rewrite it. The raw mail is the last column: reading the others skips it.
CREATE TABLE contents (
    mail_seq      INTEGER PRIMARY KEY,
    tenant        TEXT NOT NULL,
    reference_ids TEXT NOT NULL,
    recipients    TEXT NOT NULL,
    dsn           TEXT,
    auth_results  TEXT NOT NULL,
    defects       TEXT NOT NULL,
    text          TEXT NOT NULL,
    html          TEXT NOT NULL,
    raw           BLOB NOT NULL
) STRICT;

-- One row per clone.
CREATE TABLE items (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant          TEXT NOT NULL,
    item_id         TEXT NOT NULL UNIQUE,
    mail_seq        INTEGER NOT NULL,
    position        INTEGER NOT NULL,
    folder          TEXT NOT NULL,
    folder_name     TEXT NOT NULL,
    matched_address TEXT NOT NULL,
    matched_header  TEXT NOT NULL,
    matched_rule    TEXT NOT NULL,
    UNIQUE (mail_seq, position)
) STRICT;
CREATE INDEX items_folder ON items (tenant, folder, seq);

CREATE TABLE addresses (
    mail_seq    INTEGER NOT NULL,
    role        TEXT NOT NULL,
    position    INTEGER NOT NULL,
    tenant      TEXT NOT NULL,
    name        TEXT NOT NULL,
    address     TEXT NOT NULL,
    address_key TEXT NOT NULL,
    PRIMARY KEY (mail_seq, role, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX addresses_key ON addresses (tenant, address_key, mail_seq);

CREATE TABLE attachments (
    mail_seq      INTEGER NOT NULL,
    position      INTEGER NOT NULL,
    tenant        TEXT NOT NULL,
    part          TEXT NOT NULL,
    filename      TEXT NOT NULL,
    content_type  TEXT NOT NULL,
    content_id    TEXT NOT NULL,
    inline        INTEGER NOT NULL,
    is_message    INTEGER NOT NULL,
    size          INTEGER NOT NULL,
    sha256        TEXT NOT NULL,
    content       BLOB NOT NULL,
    UNIQUE (mail_seq, position)
) STRICT;

-- How much mail ever came, per UTC day of persisting; kept when mail is deleted.
CREATE TABLE tallies (
    tenant            TEXT NOT NULL,
    mailbox           TEXT NOT NULL,
    day               TEXT NOT NULL,
    verdict           TEXT NOT NULL,
    reason            TEXT NOT NULL,
    mails             INTEGER NOT NULL,
    bytes             INTEGER NOT NULL,
    last_persisted_at TEXT NOT NULL,
    PRIMARY KEY (tenant, mailbox, day, verdict, reason)
) STRICT, WITHOUT ROWID;

-- The full-text index is filled by a background worker, because building it
-- costs several times what storing a mail does.
CREATE TABLE search_queue (
    mail_seq INTEGER PRIMARY KEY
) STRICT;
CREATE VIRTUAL TABLE mail_search USING fts5 (terms, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2');

-- Deleting mail deletes all that belongs to it.
CREATE TRIGGER mails_deleted AFTER DELETE ON mails BEGIN
    DELETE FROM undisposed WHERE mail_seq = old.seq;
    DELETE FROM contents WHERE mail_seq = old.seq;
    DELETE FROM items WHERE mail_seq = old.seq;
    DELETE FROM addresses WHERE mail_seq = old.seq;
    DELETE FROM attachments WHERE mail_seq = old.seq;
    DELETE FROM search_queue WHERE mail_seq = old.seq;
    DELETE FROM mail_search WHERE rowid = old.seq;
END;

CREATE VIEW v1_mails AS
SELECT m.tenant, m.mail_id, m.seq, m.mailbox, m.uidvalidity, m.uid, m.lane, m.size, m.sha256, m.header_only,
       m.verdict, m.reason, m.revision, c.recipients,
       m.message_id, m.in_reply_to, c.reference_ids, m.subject, m.from_name, m.from_address,
       m.bounce, c.dsn, m.auto_reply, m.auto_submitted, c.auth_results, c.defects,
       m.item_count, m.attachment_count, m.internal_at, m.sent_at, m.persisted_at, c.text, c.html
FROM mails m
LEFT JOIN contents c ON c.mail_seq = m.seq;

CREATE VIEW v1_items AS
SELECT i.tenant, i.item_id, i.seq AS txid, i.seq, 1 AS settled,
       i.folder, i.folder_name, i.matched_address, i.matched_header, i.matched_rule,
       m.mail_id, m.mailbox, m.lane, m.size, m.message_id, m.in_reply_to, m.subject, m.from_name, m.from_address,
       m.bounce, m.auto_reply, m.attachment_count, m.internal_at, m.sent_at, m.persisted_at
FROM items i
JOIN mails m ON m.seq = i.mail_seq;

CREATE VIEW v1_addresses AS
SELECT a.tenant, m.mail_id, a.mail_seq, a.role, a.position, a.name, a.address, a.address_key
FROM addresses a
JOIN mails m ON m.seq = a.mail_seq;

CREATE VIEW v1_attachments AS
SELECT a.tenant, m.mail_id, a.position, a.part, a.filename, a.content_type, a.content_id, a.inline, a.is_message,
       a.size, a.sha256, a.content
FROM attachments a
JOIN mails m ON m.seq = a.mail_seq;

CREATE VIEW v1_raw AS
SELECT m.tenant, m.mail_id, m.header_only, c.raw
FROM mails m
JOIN contents c ON c.mail_seq = m.seq;

CREATE VIEW v1_ledger AS
SELECT m.tenant, m.mail_key, m.mailbox, m.uidvalidity, m.uid, m.mail_id, m.verdict, m.reason, m.lane, m.size, m.sha256,
       m.internal_at, m.fetched_at, m.classified_at, m.persisted_at, m.disposed_at, m.disposed_method, m.disposed_to,
       CAST(round((julianday(m.fetched_at) - julianday(m.internal_at)) * 86400000) AS INTEGER) AS wait_ms,
       CAST(round((julianday(m.classified_at) - julianday(m.fetched_at)) * 86400000) AS INTEGER) AS classify_ms,
       CAST(round((julianday(m.persisted_at) - julianday(m.classified_at)) * 86400000) AS INTEGER) AS persist_ms,
       CAST(round((julianday(m.disposed_at) - julianday(m.persisted_at)) * 86400000) AS INTEGER) AS dispose_ms
FROM mails m;

CREATE VIEW v1_undisposed AS
SELECT u.tenant, u.mailbox, m.uidvalidity, m.uid, m.mail_id, m.verdict, m.reason, m.lane, m.size, m.fetched_at, u.persisted_at
FROM undisposed u
JOIN mails m ON m.seq = u.mail_seq;

CREATE VIEW v1_daily AS
SELECT t.tenant, t.mailbox, t.day, t.verdict, t.reason, t.mails, t.bytes, t.last_persisted_at
FROM tallies t;
