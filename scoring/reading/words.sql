-- Words that the other files of this folder share, made once for all buckets; over the canonical tables.
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
-- Thousandths of a natural logarithm: whole, so that sums of them and of their squares are exact.
CREATE MACRO log_of(cents) AS CASE WHEN cents > 0 THEN CAST(round(1000 * ln(cents)) AS BIGINT) END;

-- The same season a year before begins on season(), and is as long as from cut() to today; its eve is as long.
CREATE MACRO season() AS today() - 365;
CREATE MACRO eve() AS cut() - 365;

-- A won deal dated ahead was won by today all the same; one without a date was won when it was made.
CREATE VIEW deal AS
SELECT *, least(coalesce(close_day, created_day, today()), today()) AS day FROM (
    SELECT o.*,
        in_cents(o.amount) AS cents,
        coalesce(o.is_won, s.is_won, false) AS won,
        coalesce(o.is_won, false) OR coalesce(o.is_closed, s.is_closed, false) AS closed,
        day_of(o.close_date) AS close_day,
        day_of_stamp(o.created_at) AS created_day,
        s.probability AS stage_probability
    FROM opportunity o LEFT JOIN stage s ON o.stage = s.name);
