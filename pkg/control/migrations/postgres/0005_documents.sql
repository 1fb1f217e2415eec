-- The revision of the latest change of a document; 'revision' counts all writes.
INSERT INTO meta (name, value) SELECT 'documents', value FROM meta WHERE name = 'revision' ON CONFLICT DO NOTHING;
