-- Features of one bucket, as views over the canonical tables account, opportunity, owner and stage.
-- Macros today() and cut() are days since 1970-01-01; cut is one horizon before today.
-- Poison stays small: no deal above 100 billion, no day outside 1900 to 2200, so that sums fit in 64 bits.

CREATE MACRO day_of(d) AS CASE WHEN d BETWEEN DATE '1900-01-01' AND DATE '2200-01-01' THEN d - DATE '1970-01-01' END;
CREATE MACRO day_of_stamp(t) AS epoch_ms(t) // 86400000;
-- greatest and least skip nulls and are slow on decimals.
CREATE MACRO in_cents(money) AS CASE
    WHEN money > CAST(100000000000 AS DECIMAL(18, 2)) THEN 10000000000000
    WHEN money < CAST(-100000000000 AS DECIMAL(18, 2)) THEN -10000000000000
    ELSE CAST(money * 100 AS BIGINT) END;
CREATE MACRO sum_in_range(cents) AS CAST(greatest(least(coalesce(cents, 0), 900000000000000000), 0) AS BIGINT);

CREATE VIEW deal AS
SELECT o.*,
    in_cents(o.amount) AS cents,
    coalesce(o.is_won, s.is_won, false) AS won,
    coalesce(o.is_won, false) OR coalesce(o.is_closed, s.is_closed, false) AS closed,
    day_of(o.close_date) AS close_day,
    day_of_stamp(o.created_at) AS created_day,
    s.probability AS stage_probability
FROM opportunity o LEFT JOIN stage s ON o.stage = s.name;

-- A won deal dated ahead was won by today all the same; one without a date was won when it was made.
CREATE VIEW event AS
SELECT *, least(coalesce(close_day, created_day, today()), today()) AS day FROM deal;

CREATE VIEW cycle AS
SELECT least(day - created_day, 3650) AS days, count(*) AS deals
FROM event WHERE won AND created_day <= day GROUP BY days;

CREATE VIEW spent AS
SELECT account_id,
    count(*) FILTER (won) AS purchases,
    count(*) FILTER (closed) AS closed,
    count(*) AS opportunities,
    min(day) FILTER (won) AS first_day,
    max(day) FILTER (won) AS last_day,
    sum(cents) FILTER (won) AS spend,
    sum(cents) FILTER (won AND day > today() - 365) AS year_spend,
    sum(cents) FILTER (won AND day > today() - 182) AS half_spend,
    sum(cents) FILTER (won AND day > today() - 547 AND day <= today() - 365) AS half_before,
    count(*) FILTER (won AND day <= cut()) AS cut_purchases,
    max(day) FILTER (won AND day <= cut()) AS cut_last_day,
    sum(cents) FILTER (won AND day <= cut()) AS cut_spend,
    bool_or(created_day <= cut() AND (NOT closed OR day > cut())) AS cut_open,
    min(created_day) AS first_created,
    bit_xor(hash(id, stage, won, closed, close_day, cents)) AS fingerprint
FROM event WHERE account_id IS NOT NULL GROUP BY account_id;

CREATE VIEW account_features AS
SELECT a.id, a.name, a.owner_id, a.parent_id, a.type, a.industry, a.country, a.employees,
    CAST(a.annual_revenue AS DOUBLE) AS annual_revenue,
    coalesce(w.active, true) AS owner_active,
    -- Peers share industry and size; size is head count, else revenue.
    CASE WHEN length(trim(a.industry)) > 0 THEN lower(trim(a.industry)) || '|' || CASE
        WHEN a.employees < 10 THEN '1' WHEN a.employees < 50 THEN '2' WHEN a.employees < 250 THEN '3'
        WHEN a.employees < 1000 THEN '4' WHEN a.employees < 5000 THEN '5' WHEN a.employees >= 5000 THEN '6'
        WHEN a.annual_revenue < 2000000 THEN '1' WHEN a.annual_revenue < 10000000 THEN '2'
        WHEN a.annual_revenue < 50000000 THEN '3' WHEN a.annual_revenue < 250000000 THEN '4'
        WHEN a.annual_revenue < 1000000000 THEN '5' WHEN a.annual_revenue >= 1000000000 THEN '6'
        ELSE '' END END AS peer,
    coalesce(s.purchases, 0) AS purchases,
    coalesce(s.closed, 0) AS closed,
    coalesce(s.opportunities, 0) AS opportunities,
    s.first_day, s.last_day, s.cut_last_day,
    coalesce(s.cut_purchases, 0) AS cut_purchases,
    coalesce(s.cut_open, false) AS cut_open,
    coalesce(least(day_of_stamp(a.created_at), s.first_created, s.first_day) <= cut(), false) AS cut_known,
    sum_in_range(s.spend) AS spend,
    sum_in_range(s.year_spend) AS year_spend,
    sum_in_range(s.half_spend) AS half_spend,
    sum_in_range(s.half_before) AS half_before,
    sum_in_range(s.cut_spend) AS cut_spend,
    in_cents(a.foretag_growth_plan) AS plan,
    day_of(a.foretag_growth_plan_by) AS plan_day,
    a.foretag_override AS override,
    day_of(a.foretag_override_until) AS override_until,
    a.foretag_override_reason AS override_reason,
    CAST(xor(coalesce(s.fingerprint, 0), hash(a.owner_id, a.industry, a.employees, a.annual_revenue,
        a.foretag_growth_plan, a.foretag_growth_plan_by)) >> 1 AS BIGINT) AS fingerprint
FROM account a LEFT JOIN spent s ON a.id = s.account_id LEFT JOIN owner w ON a.owner_id = w.id
WHERE a.id IS NOT NULL;

CREATE VIEW deal_features AS
SELECT d.id, d.name, d.account_id, d.owner_id, d.stage, d.type, d.product, d.closed,
    coalesce(a.row, -1) AS account_row,
    a.name AS account_name,
    coalesce(w.active, true) AS owner_active,
    CASE WHEN d.cents > 0 THEN d.cents END AS cents,
    d.close_day,
    CASE WHEN coalesce(d.probability, d.stage_probability) BETWEEN 0 AND 100
        THEN CAST(coalesce(d.probability, d.stage_probability) AS BIGINT) END AS probability,
    greatest(coalesce(d.push_count, 0), 0) AS pushes,
    CASE WHEN d.margin BETWEEN -1000 AND 100 THEN d.margin END AS margin,
    coalesce(greatest(day_of(d.last_activity_date), day_of_stamp(d.stage_changed_at)), d.created_day) AS moved_day,
    day_of(d.need_by) AS need_day,
    coalesce(length(trim(d.pain)) > 0, false) AS pain,
    d.foretag_override AS override,
    day_of(d.foretag_override_until) AS override_until,
    d.foretag_override_reason AS override_reason,
    CAST(hash(d.stage, d.cents, d.close_day, d.probability, d.push_count, d.margin, d.owner_id, d.need_by, d.pain) >> 1
        AS BIGINT) AS fingerprint
FROM deal d
LEFT JOIN (SELECT id, name, row_number() OVER (ORDER BY id) - 1 AS row FROM account WHERE id IS NOT NULL) a
    ON d.account_id = a.id
LEFT JOIN owner w ON d.owner_id = w.id
WHERE d.id IS NOT NULL AND (NOT d.closed OR d.foretag_tier IS NOT NULL OR d.foretag_reason IS NOT NULL);
