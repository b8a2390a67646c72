-- What is known beside accounts and deals, one row per account or deal: contacts, requests, promises, line items.
-- A table that was not handed in has no rows; contacts_read() tells whether contacts were looked for at all.
-- It comes after events.sql.

CREATE VIEW contact AS
SELECT account_id, opportunity_id, kind, day_of(day) AS day FROM (
    SELECT account_id, opportunity_id, 'call' AS kind, day FROM call
    UNION ALL SELECT account_id, opportunity_id, 'email', day FROM email
    UNION ALL SELECT account_id, opportunity_id, 'meeting', day FROM meeting)
WHERE day_of(day) <= today();

CREATE VIEW account_contact AS
SELECT account_id, count(*) AS contacts, max(day) AS last_day,
    max(day) FILTER (kind = 'call') AS last_call_day,
    max(day) FILTER (kind = 'email') AS last_email_day,
    max(day) FILTER (kind = 'meeting') AS last_meeting_day
FROM contact WHERE account_id IS NOT NULL GROUP BY account_id;

-- Of a deal are those that were with its account: others lie in other buckets.
CREATE VIEW deal_contact AS
SELECT opportunity_id, account_id, count(*) AS contacts, max(day) AS last_day
FROM contact WHERE opportunity_id IS NOT NULL AND account_id IS NOT NULL GROUP BY opportunity_id, account_id;

-- An urgent request that is itself a sign of need does not hold selling back.
CREATE VIEW asked AS
SELECT account_id, count(*) AS open_cases,
    count(*) FILTER (is_need(type)) AS need_cases,
    count(*) FILTER (is_urgent(priority) AND NOT is_need(type)) AS urgent_cases
FROM "case" WHERE account_id IS NOT NULL AND NOT coalesce(is_closed, false) GROUP BY account_id;

-- One promise for each account and day; what the CRM says of it comes before what a file says. A plan that the CRM
-- held earlier (`seen_on`) was promised if it stood there until its day; else another one took its place.
CREATE VIEW promise AS
SELECT account_id, due, max({'source': source, 'made': coalesce(made, 0), 'cents': cents}) AS said FROM (
    SELECT id AS account_id, in_cents(foretag_growth_plan) AS cents, day_of(foretag_growth_plan_by) AS due,
        NULL AS made, 2 AS source
    FROM account WHERE foretag_growth_plan > 0
    UNION ALL
    SELECT account_id, in_cents(amount), day_of("by"), day_of(made_on), 1 FROM commitment
    WHERE amount > 0 AND (seen_on IS NULL OR (day_of("by") < today() AND day_of(seen_on) >= day_of("by") - 31)))
WHERE account_id IS NOT NULL GROUP BY account_id, due;

CREATE VIEW running AS
SELECT account_id, max({'source': said.source, 'made': said.made, 'due': coalesce(due, 0), 'cents': said.cents}) AS plan
FROM promise WHERE due IS NULL OR due >= today() GROUP BY account_id;

-- What was won in the year before a promise fell due, up to what was promised.
CREATE VIEW due_promise AS
SELECT p.account_id, p.due, any_value(p.said.cents) AS cents,
    least(sum_in_range(sum(e.cents) FILTER (e.won AND e.day > p.due - 365 AND e.day <= p.due)),
        any_value(p.said.cents)) AS reached
FROM promise p LEFT JOIN event e ON p.account_id = e.account_id WHERE p.due < today() GROUP BY p.account_id, p.due;

CREATE VIEW kept AS
SELECT account_id, count(*) AS plans, sum_in_range(sum(cents)) AS promised, sum_in_range(sum(reached)) AS reached
FROM due_promise GROUP BY account_id;

-- A margin speaks for the whole deal only where the cost of most of it is known.
CREATE VIEW item AS
SELECT opportunity_id,
    sum(in_cents(amount)) AS cents,
    sum(in_cents(amount)) FILTER (cost IS NOT NULL) AS costed,
    sum(in_cents(cost)) FILTER (amount IS NOT NULL) AS cost,
    max({'cents': in_cents(amount), 'product': product}).product AS product
FROM line_item WHERE opportunity_id IS NOT NULL GROUP BY opportunity_id;

CREATE VIEW deal_item AS
SELECT opportunity_id, product,
    CASE WHEN costed > 0 AND 2 * costed >= cents AND 100 * (1 - cost / costed) BETWEEN -1000 AND 100
        THEN 100 * (1 - cost / costed) END AS margin
FROM item;

-- The products that an account bought, in no order, some more than once: who reads them takes each as a yes.
CREATE VIEW owned AS
SELECT account_id, list(product) AS products FROM (
    SELECT account_id, product FROM event WHERE won AND length(product) > 0
    UNION ALL
    SELECT e.account_id, l.product
    FROM line_item l JOIN event e ON l.opportunity_id = e.id WHERE e.won AND length(l.product) > 0)
WHERE account_id IS NOT NULL GROUP BY account_id;

-- Quotas of years, quarters and months may overlap: the shortest period around today counts.
CREATE VIEW current_quota AS
SELECT owner_id, sum_in_range(sum(in_cents(amount))) AS cents
FROM quota WHERE owner_id IS NOT NULL AND today() BETWEEN day_of("start") AND day_of("end")
GROUP BY owner_id, "start", "end"
QUALIFY row_number() OVER (PARTITION BY owner_id ORDER BY "end" - "start", "start") = 1;

CREATE VIEW capable AS
SELECT owner_id, max(accounts) AS accounts FROM capacity WHERE accounts > 0 GROUP BY owner_id;

CREATE VIEW worked AS
SELECT lower(trim(territory)) AS territory, list(owner_id) AS owners FROM territory GROUP BY ALL;
