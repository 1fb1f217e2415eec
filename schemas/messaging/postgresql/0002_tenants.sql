-- The second wall between tenants: whoever is not the owner of the tables sees
-- only the rows of the tenant named by the setting app.tenant, or of all
-- tenants when it is '*'. Views run with the rights of who asks.

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['mails', 'undisposed', 'contents', 'items', 'addresses', 'attachments', 'tallies', 'mail_search'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (tenant = current_setting(''app.tenant'', true) OR current_setting(''app.tenant'', true) = ''*'')', t);
    END LOOP;
END $$;

-- mailyard_reader may select and nothing else. Without the right to create
-- roles, the migration goes on: an administrator can create it and run the
-- grants of README.md.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mailyard_reader') THEN
        CREATE ROLE mailyard_reader NOLOGIN;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'role mailyard_reader not created: no right to create roles';
    WHEN duplicate_object OR unique_violation THEN
        NULL; -- created at this moment for another database of this server
END $$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'mailyard_reader') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO mailyard_reader', current_schema());
        GRANT SELECT ON mails, undisposed, contents, items, addresses, attachments, tallies,
            v1_mails, v1_items, v1_addresses, v1_attachments, v1_raw, v1_ledger, v1_undisposed, v1_daily TO mailyard_reader;
    END IF;
END $$;
