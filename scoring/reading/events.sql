-- What happened in one bucket: its deals as events, and sums of them by account; over the canonical tables.
-- Macros today() and cut() are days since 1970-01-01; cut is one window before today.
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

CREATE VIEW purchase_age AS SELECT today() - day AS days, count(*) AS deals FROM event WHERE won GROUP BY days;

-- The same season a year before begins on season(), and is as long as from cut() to today; its eve is as long.
CREATE MACRO season() AS today() - 365;
CREATE MACRO eve() AS cut() - 365;

CREATE VIEW cycle AS
SELECT least(day - created_day, 3650) AS days, count(*) AS deals
FROM event WHERE won AND created_day <= day GROUP BY days;

-- All that was won on one day is one purchase.
CREATE VIEW purchase AS
SELECT account_id, day, sum_in_range(sum(cents)) AS cents
FROM event WHERE won AND account_id IS NOT NULL GROUP BY account_id, day;

-- Thousandths of a natural logarithm: whole, so that sums of them and of their squares are exact.
CREATE MACRO log_of(cents) AS CASE WHEN cents > 0 THEN CAST(round(1000 * ln(cents)) AS BIGINT) END;

CREATE VIEW bought AS
SELECT account_id,
    count(*) AS purchase_days,
    count(*) FILTER (day <= cut()) AS cut_purchase_days,
    count(*) FILTER (day <= season()) AS season_purchase_days,
    max(day) FILTER (day <= season()) AS season_last_day,
    bool_or(day > season() AND day <= season() + today() - cut()) AS season_again,
    count(*) FILTER (day <= eve()) AS eve_purchase_days,
    max(day) FILTER (day <= eve()) AS eve_last_day,
    bool_or(day > eve() AND day <= season()) AS eve_again,
    arg_min(cents, day) AS first_value,
    count(*) FILTER (cents > 0) AS priced_days,
    sum(log_of(cents)) AS log_values,
    sum(log_of(cents) * log_of(cents)) AS log_squares,
    sum(cents) FILTER (day > today() - 91) AS q0,
    sum(cents) FILTER (day > today() - 182 AND day <= today() - 91) AS q1,
    sum(cents) FILTER (day > today() - 273 AND day <= today() - 182) AS q2,
    sum(cents) FILTER (day > today() - 364 AND day <= today() - 273) AS q3,
    sum(cents) FILTER (day > today() - 455 AND day <= today() - 364) AS q4,
    sum(cents) FILTER (day > today() - 546 AND day <= today() - 455) AS q5,
    sum(cents) FILTER (day > today() - 637 AND day <= today() - 546) AS q6,
    sum(cents) FILTER (day > today() - 728 AND day <= today() - 637) AS q7
FROM purchase GROUP BY account_id;

CREATE VIEW spent AS
SELECT account_id,
    count(*) FILTER (won) AS purchases,
    count(*) FILTER (closed) AS closed,
    count(*) AS opportunities,
    sum(cents) FILTER (NOT closed AND cents > 0) AS open_value,
    max(day_of(last_activity_date)) FILTER (last_activity_date <= DATE '1970-01-01' + today()) AS last_activity_day,
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
