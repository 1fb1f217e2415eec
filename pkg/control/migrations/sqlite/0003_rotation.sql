-- Re-encryption under a new version of a tenant's key leaves the document's
-- revision alone; these order what is published.
ALTER TABLE tenants ADD COLUMN key_revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN password_revision INTEGER NOT NULL DEFAULT 0;

-- JSON, while the tenant's key is rotated.
ALTER TABLE tenants ADD COLUMN rotation TEXT;
