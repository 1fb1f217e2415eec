-- What the console asks, quick at millions of mails: lists by time, invalid
-- mail, and counts for ever without adding up the days.

-- Lists are sorted by (persisted_at, seq): a time is then a part of the index,
-- also one long ago.
DROP INDEX mails_tenant;
DROP INDEX mails_mailbox;
CREATE INDEX mails_tenant ON mails (tenant, persisted_at, seq);
CREATE INDEX mails_mailbox ON mails (tenant, mailbox, persisted_at, seq);
CREATE INDEX mails_invalid ON mails (tenant, persisted_at, seq) WHERE verdict = 'invalid';

-- The sums of tallies over all days, and the count of the last day. A trigger
-- keeps them, so that whatever writes tallies cannot forget them.
CREATE TABLE totals (
    tenant            text COLLATE "C" NOT NULL,
    mailbox           text COLLATE "C" NOT NULL,
    verdict           text COLLATE "C" NOT NULL,
    reason            text COLLATE "C" NOT NULL,
    mails             bigint NOT NULL,
    bytes             bigint NOT NULL,
    day               date NOT NULL,   -- the last day on which mail came
    day_mails         bigint NOT NULL, -- of this day
    last_persisted_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, mailbox, verdict, reason)
) WITH (fillfactor = 50);
INSERT INTO totals (tenant, mailbox, verdict, reason, mails, bytes, day, day_mails, last_persisted_at)
SELECT s.tenant, s.mailbox, s.verdict, s.reason, s.mails, s.bytes, s.day, t.mails, s.last_persisted_at
FROM (SELECT tenant, mailbox, verdict, reason, sum(mails) AS mails, sum(bytes) AS bytes, max(day) AS day, max(last_persisted_at) AS last_persisted_at
      FROM tallies GROUP BY 1, 2, 3, 4) s
JOIN tallies t USING (tenant, mailbox, verdict, reason, day);

CREATE FUNCTION tallies_counted() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    before_mails bigint := 0;
    before_bytes bigint := 0;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        before_mails := OLD.mails;
        before_bytes := OLD.bytes;
    END IF;
    INSERT INTO totals AS t (tenant, mailbox, verdict, reason, mails, bytes, day, day_mails, last_persisted_at)
    VALUES (NEW.tenant, NEW.mailbox, NEW.verdict, NEW.reason, NEW.mails - before_mails, NEW.bytes - before_bytes, NEW.day, NEW.mails, NEW.last_persisted_at)
    ON CONFLICT (tenant, mailbox, verdict, reason) DO UPDATE SET mails = t.mails + excluded.mails, bytes = t.bytes + excluded.bytes,
        day_mails = CASE WHEN excluded.day >= t.day THEN excluded.day_mails ELSE t.day_mails END,
        day = greatest(t.day, excluded.day),
        last_persisted_at = greatest(t.last_persisted_at, excluded.last_persisted_at);
    RETURN NULL;
END $$;
CREATE TRIGGER tallies_counted AFTER INSERT OR UPDATE ON tallies FOR EACH ROW EXECUTE FUNCTION tallies_counted();

ALTER TABLE totals ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON totals USING (tenant = current_setting('app.tenant', true) OR current_setting('app.tenant', true) = '*');
