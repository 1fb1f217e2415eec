-- What the console asks, quick at millions of mails: lists by time, invalid
-- mail, and counts for ever without adding up the days.

-- Lists are sorted by (persisted_at, seq): a time is then a part of the index,
-- also one long ago.
DROP INDEX mails_tenant;
DROP INDEX mails_mailbox;
CREATE INDEX mails_tenant ON mails (tenant, persisted_at, seq);
CREATE INDEX mails_mailbox ON mails (tenant, mailbox, persisted_at, seq);
CREATE INDEX mails_invalid ON mails (tenant, persisted_at, seq) WHERE verdict = 'invalid';

-- The sums of tallies over all days, and the count of the last day. Triggers
-- keep them, so that whatever writes tallies cannot forget them.
CREATE TABLE totals (
    tenant            TEXT NOT NULL,
    mailbox           TEXT NOT NULL,
    verdict           TEXT NOT NULL,
    reason            TEXT NOT NULL,
    mails             INTEGER NOT NULL,
    bytes             INTEGER NOT NULL,
    day               TEXT NOT NULL,    -- the last day on which mail came
    day_mails         INTEGER NOT NULL, -- of this day
    last_persisted_at TEXT NOT NULL,
    PRIMARY KEY (tenant, mailbox, verdict, reason)
) STRICT, WITHOUT ROWID;
INSERT INTO totals (tenant, mailbox, verdict, reason, mails, bytes, day, day_mails, last_persisted_at)
SELECT s.tenant, s.mailbox, s.verdict, s.reason, s.mails, s.bytes, s.day, t.mails, s.last_persisted_at
FROM (SELECT tenant, mailbox, verdict, reason, sum(mails) AS mails, sum(bytes) AS bytes, max(day) AS day, max(last_persisted_at) AS last_persisted_at
      FROM tallies GROUP BY 1, 2, 3, 4) s
JOIN tallies t USING (tenant, mailbox, verdict, reason, day);

CREATE TRIGGER tallies_inserted AFTER INSERT ON tallies BEGIN
    INSERT INTO totals (tenant, mailbox, verdict, reason, mails, bytes, day, day_mails, last_persisted_at)
    VALUES (new.tenant, new.mailbox, new.verdict, new.reason, new.mails, new.bytes, new.day, new.mails, new.last_persisted_at)
    ON CONFLICT (tenant, mailbox, verdict, reason) DO UPDATE SET mails = mails + excluded.mails, bytes = bytes + excluded.bytes,
        day_mails = CASE WHEN excluded.day >= day THEN excluded.day_mails ELSE day_mails END, day = max(day, excluded.day),
        last_persisted_at = max(last_persisted_at, excluded.last_persisted_at);
END;
CREATE TRIGGER tallies_updated AFTER UPDATE ON tallies BEGIN
    UPDATE totals SET mails = mails + new.mails - old.mails, bytes = bytes + new.bytes - old.bytes,
        day_mails = CASE WHEN new.day >= day THEN new.mails ELSE day_mails END, day = max(day, new.day),
        last_persisted_at = max(last_persisted_at, new.last_persisted_at)
    WHERE tenant = new.tenant AND mailbox = new.mailbox AND verdict = new.verdict AND reason = new.reason;
END;
