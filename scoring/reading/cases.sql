-- Open requests of one bucket: one row per account.

-- An urgent request that is itself a sign of need does not hold selling back.
CREATE OR REPLACE TEMP TABLE asked AS
SELECT account_id, count(*) AS open_cases,
    count(*) FILTER (is_need(type)) AS need_cases,
    count(*) FILTER (is_urgent(priority) AND NOT is_need(type)) AS urgent_cases
FROM "case" WHERE account_id IS NOT NULL AND NOT coalesce(is_closed, false) GROUP BY account_id;
