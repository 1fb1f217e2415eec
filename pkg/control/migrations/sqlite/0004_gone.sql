-- The ids of deleted tenants, for ever: what is stored under one must not become
-- another tenant's.
CREATE TABLE gone_tenants (
    id           TEXT PRIMARY KEY,
    deleted_at   TEXT NOT NULL
);

INSERT INTO gone_tenants (id, deleted_at)
    SELECT document, max(at) FROM audit
    WHERE kind = 'tenant' AND change = 'deleted' AND document NOT IN (SELECT id FROM tenants WHERE deleted_at IS NULL)
    GROUP BY document;
