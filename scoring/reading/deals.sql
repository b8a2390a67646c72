-- How deals of one bucket ended, and how long they were open, as tables for one reading; over events.sql and products.sql.
-- Only what was known while a deal was open is read: what it is, who works it, when it was made. Columns that are
-- filled in, or change, when it closes would tell the outcome.
-- What the rules leave out teaches nothing: left_out_accounts and left_out_deals have its ids.
-- Macros half_life(), embargo(), month() and oldest() are days; cells() is into how many cells amounts are counted.

-- A deal that was entered after it had closed was made when it closed.
CREATE OR REPLACE TEMP TABLE past AS
SELECT e.owner_id AS owner, coalesce(e.product, i.product) AS product, a.industry, a.country, e.type, e.pipeline,
    e.won, e.closed, e.day, e.cents, e.account_id,
    CASE WHEN e.closed AND e.created_day > e.day THEN e.day ELSE e.created_day END AS made
FROM event e LEFT JOIN account a ON e.account_id = a.id LEFT JOIN deal_item i ON e.id = i.opportunity_id
ANTI JOIN left_out_accounts x ON e.account_id = x.id ANTI JOIN left_out_deals y ON e.id = y.id
WHERE e.id IS NOT NULL;

-- A closed deal weighs 1024 at first, and half of that after a half-life.
CREATE TEMP VIEW IF NOT EXISTS weighed AS
SELECT * REPLACE (CASE WHEN won THEN seen ELSE 0 END AS won), seen * seen AS squares FROM (
    SELECT *, CAST(round(1024 * pow(2.0, (day - today()) / half_life())) AS BIGINT) AS seen
    FROM past WHERE closed AND coalesce(made, day) <= today() - embargo());

-- A deal as it was looked at on each day of two years, from age `first` until before `last`, as long as it was open and
-- it is known today whether it closed within the 30 days after; from age `hit` on it did.
CREATE OR REPLACE TEMP TABLE watched AS
-- (greatest would skip the null of a deal that is still open.)
SELECT coalesce(pipeline, '') || '|' || coalesce(type, '') AS kind, first, last,
    CASE WHEN hit > first THEN hit WHEN closed THEN first END AS hit
FROM (
    SELECT pipeline, type, closed,
        least(greatest(today() - 760 - made, 0), oldest()) AS first,
        least(CASE WHEN closed THEN day - made ELSE oldest() END, today() - 29 - made, oldest()) AS last,
        CASE WHEN closed THEN day - made - 30 END AS hit
    FROM past WHERE made IS NOT NULL AND (NOT closed OR day > today() - 760))
WHERE last > first;

CREATE TEMP VIEW IF NOT EXISTS ages AS
SELECT kind, 0 AS what, first AS age, count(*) AS deals FROM watched GROUP BY ALL
UNION ALL SELECT kind, 1, last, count(*) FROM watched GROUP BY ALL
UNION ALL SELECT kind, 2, hit, count(*) FROM watched WHERE hit < last GROUP BY ALL
UNION ALL SELECT kind, 3, last, count(*) FROM watched WHERE hit < last GROUP BY ALL;

-- What each closed deal teaches: what its account had spent before it was made.
CREATE TEMP VIEW IF NOT EXISTS taught AS
SELECT w.won > 0 AS won, coalesce(p.spent, 0) AS spent
FROM weighed w ASOF LEFT JOIN (
    SELECT account_id, day, sum(cents) OVER (PARTITION BY account_id ORDER BY day) AS spent FROM purchase) p
    ON w.account_id = p.account_id AND w.made > p.day;

CREATE TEMP VIEW IF NOT EXISTS outcomes AS
SELECT least((today() - day) // month(), oldest() // month()) AS month, least(day - made, oldest()) AS age,
    count(*) FILTER (won) AS won, count(*) AS deals
FROM past WHERE closed AND made IS NOT NULL GROUP BY ALL;

CREATE TEMP VIEW IF NOT EXISTS amounts AS
SELECT cents % cells() AS cell, count(*) AS deals FROM past WHERE cents > 0 GROUP BY cell;
