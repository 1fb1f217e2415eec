-- For asking again for the disposal of mail of which none was recorded: which
-- account and folder it was fetched from, and when it is time to ask. Both are
-- NULL for mail from before this migration, which is not asked for again.
ALTER TABLE undisposed ADD COLUMN origin TEXT;
ALTER TABLE undisposed ADD COLUMN due_at TEXT;
CREATE INDEX undisposed_due ON undisposed (due_at) WHERE due_at IS NOT NULL;
