-- Calls, e-mails and meetings of one bucket: one row per account, and one per deal.

CREATE TEMP VIEW IF NOT EXISTS contact AS
SELECT account_id, opportunity_id, kind, day_of(day) AS day FROM (
    SELECT account_id, opportunity_id, 'call' AS kind, day FROM call
    UNION ALL SELECT account_id, opportunity_id, 'email', day FROM email
    UNION ALL SELECT account_id, opportunity_id, 'meeting', day FROM meeting)
WHERE day_of(day) <= today();

CREATE OR REPLACE TEMP TABLE account_contact AS
SELECT account_id, count(*) AS contacts, max(day) AS last_day,
    max(day) FILTER (kind = 'call') AS last_call_day,
    max(day) FILTER (kind = 'email') AS last_email_day,
    max(day) FILTER (kind = 'meeting') AS last_meeting_day
FROM contact WHERE account_id IS NOT NULL GROUP BY account_id;

-- Of a deal are those that were with its account: others lie in other buckets.
CREATE OR REPLACE TEMP TABLE deal_contact AS
SELECT opportunity_id, account_id, count(*) AS contacts, max(day) AS last_day
FROM contact WHERE opportunity_id IS NOT NULL AND account_id IS NOT NULL GROUP BY opportunity_id, account_id;
