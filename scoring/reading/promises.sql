-- What accounts of one bucket promised to spend, and whether it came: one row per account; over events.sql.

-- One promise for each account and day; what the CRM says of it comes before what a file says. A plan that the CRM
-- held earlier (`seen_on`) was promised if it stood there until its day; else another one took its place.
CREATE OR REPLACE TEMP TABLE promise AS
SELECT account_id, due, max({'source': source, 'made': coalesce(made, 0), 'cents': cents}) AS said FROM (
    SELECT id AS account_id, in_cents(foretag_growth_plan) AS cents, day_of(foretag_growth_plan_by) AS due,
        NULL AS made, 2 AS source
    FROM account WHERE foretag_growth_plan > 0
    UNION ALL
    SELECT account_id, in_cents(amount), day_of("by"), day_of(made_on), 1 FROM commitment
    WHERE amount > 0 AND (seen_on IS NULL OR (day_of("by") < today() AND day_of(seen_on) >= day_of("by") - 31)))
WHERE account_id IS NOT NULL GROUP BY account_id, due;

CREATE OR REPLACE TEMP TABLE running AS
SELECT account_id, max({'source': said.source, 'made': said.made, 'due': coalesce(due, 0), 'cents': said.cents}) AS plan
FROM promise WHERE due IS NULL OR due >= today() GROUP BY account_id;

-- What was won in the year before a promise fell due, up to what was promised.
CREATE OR REPLACE TEMP TABLE kept AS
SELECT account_id, count(*) AS plans, sum_in_range(sum(cents)) AS promised, sum_in_range(sum(reached)) AS reached
FROM (
    SELECT p.account_id, p.due, any_value(p.said.cents) AS cents,
        least(sum_in_range(sum(e.cents) FILTER (e.won AND e.day > p.due - 365 AND e.day <= p.due)),
            any_value(p.said.cents)) AS reached
    FROM promise p LEFT JOIN event e ON p.account_id = e.account_id
    WHERE p.due < today() GROUP BY p.account_id, p.due)
GROUP BY account_id;
