-- The messaging database, version 1. Tables belong to mailyard and may change;
-- the views v1_* are the contract (README.md).
-- Needs PostgreSQL 15: views with security_invoker.

-- Every index that the pipeline asks leads with one column that identifies a
-- mail, not with the tenant: the planner, which takes a tenant or a mailbox for
-- selective while its statistics are young, has only one index to choose. The
-- ids and the mail key contain the tenant. What people ask leads with the tenant.

CREATE TABLE mails (
    seq             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant          text COLLATE "C" NOT NULL,
    mail_id         text COLLATE "C" NOT NULL UNIQUE,
    -- tenant/mailbox/uidvalidity/uid: the idempotency key of the pipeline.
    mail_key        text COLLATE "C" NOT NULL UNIQUE,
    mailbox         text COLLATE "C" NOT NULL,
    uidvalidity     bigint NOT NULL,
    uid             bigint NOT NULL,
    lane            text NOT NULL,
    size            bigint NOT NULL,
    sha256          text COLLATE "C" NOT NULL,
    verdict         text NOT NULL,
    reason          text NOT NULL,
    revision        bigint NOT NULL,
    message_id      text COLLATE "C" NOT NULL,
    in_reply_to     text COLLATE "C" NOT NULL,
    subject         text NOT NULL,
    from_name       text NOT NULL,
    from_address    text NOT NULL,
    bounce          boolean NOT NULL,
    auto_reply      boolean NOT NULL,
    auto_submitted  text NOT NULL,
    item_count      integer NOT NULL,
    attachment_count integer NOT NULL,
    header_only     boolean NOT NULL,
    internal_at     timestamptz,
    sent_at         timestamptz,
    fetched_at      timestamptz,
    classified_at   timestamptz,
    persisted_at    timestamptz NOT NULL,
    disposed_at     timestamptz, -- in no index: recording it touches the row only
    disposed_method text NOT NULL DEFAULT '',
    disposed_to     text NOT NULL DEFAULT ''
) WITH (fillfactor = 85);
CREATE INDEX mails_tenant ON mails (tenant, seq);
CREATE INDEX mails_mailbox ON mails (tenant, mailbox, seq);
CREATE INDEX mails_message_id ON mails (tenant, message_id) WHERE message_id <> '';

-- Mail that is stored but, as far as is known, still in an inbox: few rows.
-- Recognises mail after a change of UIDVALIDITY, and answers what is stuck.
CREATE TABLE undisposed (
    mail_seq    bigint PRIMARY KEY,
    tenant      text COLLATE "C" NOT NULL,
    mailbox     text COLLATE "C" NOT NULL,
    uidvalidity bigint NOT NULL,
    sha256      text COLLATE "C" NOT NULL,
    persisted_at timestamptz NOT NULL
);
CREATE INDEX undisposed_sha256 ON undisposed (sha256, tenant, mailbox, uidvalidity);

-- One row per mail: all that is wide, so that recording a disposal does not
-- rewrite it.
CREATE TABLE contents (
    mail_seq      bigint PRIMARY KEY,
    tenant        text COLLATE "C" NOT NULL,
    reference_ids jsonb NOT NULL,
    recipients    jsonb NOT NULL,
    dsn           jsonb,
    auth_results  jsonb NOT NULL,
    defects       jsonb NOT NULL,
    text          text NOT NULL,
    html          text NOT NULL,
    raw           bytea, -- up to 1 MiB, compressed
    raw_large     bytea  -- above; mostly base64, which compression does not shrink
);
ALTER TABLE contents ALTER COLUMN raw_large SET STORAGE EXTERNAL;

-- One row per clone.
CREATE TABLE items (
    seq             bigint GENERATED ALWAYS AS IDENTITY,
    -- The transaction that wrote the row: together with seq a cursor that no
    -- late commit can slip behind.
    txid            bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    tenant          text COLLATE "C" NOT NULL,
    item_id         text COLLATE "C" NOT NULL UNIQUE,
    mail_seq        bigint NOT NULL,
    position        integer NOT NULL,
    folder          text COLLATE "C" NOT NULL,
    folder_name     text NOT NULL,
    matched_address text NOT NULL,
    matched_header  text NOT NULL,
    matched_rule    text NOT NULL,
    PRIMARY KEY (mail_seq, position)
);
CREATE INDEX items_folder ON items (tenant, folder, txid, seq);

CREATE TABLE addresses (
    mail_seq    bigint NOT NULL,
    role        text COLLATE "C" NOT NULL,
    position    integer NOT NULL,
    tenant      text COLLATE "C" NOT NULL,
    name        text NOT NULL,
    address     text NOT NULL,
    address_key text COLLATE "C" NOT NULL,
    PRIMARY KEY (mail_seq, role, position)
);
CREATE INDEX addresses_key ON addresses (tenant, address_key, mail_seq);

CREATE TABLE attachments (
    mail_seq      bigint NOT NULL,
    position      integer NOT NULL,
    tenant        text COLLATE "C" NOT NULL,
    part          text NOT NULL,
    filename      text NOT NULL,
    content_type  text NOT NULL,
    content_id    text NOT NULL,
    inline        boolean NOT NULL,
    is_message    boolean NOT NULL,
    size          bigint NOT NULL,
    sha256        text NOT NULL,
    content       bytea, -- up to 1 MiB, compressed
    content_large bytea,
    PRIMARY KEY (mail_seq, position)
);
ALTER TABLE attachments ALTER COLUMN content_large SET STORAGE EXTERNAL;

-- How much mail ever came, per UTC day of persisting; kept when mail is deleted.
CREATE TABLE tallies (
    tenant            text COLLATE "C" NOT NULL,
    mailbox           text COLLATE "C" NOT NULL,
    day               date NOT NULL,
    verdict           text COLLATE "C" NOT NULL,
    reason            text COLLATE "C" NOT NULL,
    mails             bigint NOT NULL,
    bytes             bigint NOT NULL,
    last_persisted_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, mailbox, day, verdict, reason)
) WITH (fillfactor = 50);

-- The full-text index is filled by a background worker, because building it
-- costs several times what storing a mail does.
CREATE TABLE search_queue (
    mail_seq bigint PRIMARY KEY
);
CREATE TABLE mail_search (
    mail_seq bigint PRIMARY KEY,
    tenant   text COLLATE "C" NOT NULL,
    terms    tsvector NOT NULL
);
CREATE INDEX mail_search_terms ON mail_search USING gin (terms);

-- Deleting mail deletes all that belongs to it. Foreign keys would do the same,
-- but check every row that is inserted, by one transaction and always with its mail.
CREATE FUNCTION mails_deleted() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM undisposed USING gone WHERE mail_seq = gone.seq;
    DELETE FROM contents USING gone WHERE mail_seq = gone.seq;
    DELETE FROM items USING gone WHERE mail_seq = gone.seq;
    DELETE FROM addresses USING gone WHERE mail_seq = gone.seq;
    DELETE FROM attachments USING gone WHERE mail_seq = gone.seq;
    DELETE FROM search_queue USING gone WHERE mail_seq = gone.seq;
    DELETE FROM mail_search USING gone WHERE mail_seq = gone.seq;
    RETURN NULL;
END $$;
CREATE TRIGGER mails_deleted AFTER DELETE ON mails REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION mails_deleted();

-- lz4 costs a fraction of the CPU of the default; a server built without it
-- keeps the default.
DO $$
BEGIN
    ALTER TABLE contents ALTER COLUMN text SET COMPRESSION lz4,
                         ALTER COLUMN html SET COMPRESSION lz4,
                         ALTER COLUMN raw SET COMPRESSION lz4;
    ALTER TABLE attachments ALTER COLUMN content SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this server has no lz4: mail is compressed with pglz, which is slower';
END $$;

CREATE VIEW v1_mails WITH (security_invoker = true) AS
SELECT m.tenant, m.mail_id, m.seq, m.mailbox, m.uidvalidity, m.uid, m.lane, m.size, m.sha256, m.header_only,
       m.verdict, m.reason, m.revision, c.recipients,
       m.message_id, m.in_reply_to, c.reference_ids, m.subject, m.from_name, m.from_address,
       m.bounce, c.dsn, m.auto_reply, m.auto_submitted, c.auth_results, c.defects,
       m.item_count, m.attachment_count, m.internal_at, m.sent_at, m.persisted_at, c.text, c.html
FROM mails m
LEFT JOIN contents c ON c.mail_seq = m.seq;

CREATE VIEW v1_items WITH (security_invoker = true) AS
SELECT i.tenant, i.item_id, i.txid, i.seq,
       i.txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS settled,
       i.folder, i.folder_name, i.matched_address, i.matched_header, i.matched_rule,
       m.mail_id, m.mailbox, m.lane, m.size, m.message_id, m.in_reply_to, m.subject, m.from_name, m.from_address,
       m.bounce, m.auto_reply, m.attachment_count, m.internal_at, m.sent_at, m.persisted_at
FROM items i
JOIN mails m ON m.seq = i.mail_seq;

CREATE VIEW v1_addresses WITH (security_invoker = true) AS
SELECT a.tenant, m.mail_id, a.mail_seq, a.role, a.position, a.name, a.address, a.address_key
FROM addresses a
JOIN mails m ON m.seq = a.mail_seq;

CREATE VIEW v1_attachments WITH (security_invoker = true) AS
SELECT a.tenant, m.mail_id, a.position, a.part, a.filename, a.content_type, a.content_id, a.inline, a.is_message,
       a.size, a.sha256, coalesce(a.content_large, a.content) AS content
FROM attachments a
JOIN mails m ON m.seq = a.mail_seq;

CREATE VIEW v1_raw WITH (security_invoker = true) AS
SELECT m.tenant, m.mail_id, m.header_only, coalesce(c.raw_large, c.raw) AS raw
FROM mails m
JOIN contents c ON c.mail_seq = m.seq;

CREATE VIEW v1_ledger WITH (security_invoker = true) AS
SELECT m.tenant, m.mail_key, m.mailbox, m.uidvalidity, m.uid, m.mail_id, m.verdict, m.reason, m.lane, m.size, m.sha256,
       m.internal_at, m.fetched_at, m.classified_at, m.persisted_at, m.disposed_at, m.disposed_method, m.disposed_to,
       round(extract(epoch FROM m.fetched_at - m.internal_at) * 1000)::bigint AS wait_ms,
       round(extract(epoch FROM m.classified_at - m.fetched_at) * 1000)::bigint AS classify_ms,
       round(extract(epoch FROM m.persisted_at - m.classified_at) * 1000)::bigint AS persist_ms,
       round(extract(epoch FROM m.disposed_at - m.persisted_at) * 1000)::bigint AS dispose_ms
FROM mails m;

CREATE VIEW v1_undisposed WITH (security_invoker = true) AS
SELECT u.tenant, u.mailbox, m.uidvalidity, m.uid, m.mail_id, m.verdict, m.reason, m.lane, m.size, m.fetched_at, u.persisted_at
FROM undisposed u
JOIN mails m ON m.seq = u.mail_seq;

CREATE VIEW v1_daily WITH (security_invoker = true) AS
SELECT t.tenant, t.mailbox, t.day, t.verdict, t.reason, t.mails, t.bytes, t.last_persisted_at
FROM tallies t;
