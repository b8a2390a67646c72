-- Sums over what happened, one row per account: purchases by day, and all deals; over events.sql, up to today and to cut().

CREATE OR REPLACE TEMP TABLE bought AS
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

CREATE OR REPLACE TEMP TABLE spent AS
SELECT account_id,
    count(*) FILTER (won) AS purchases,
    count(*) FILTER (closed) AS closed,
    count(*) AS opportunities,
    sum(cents) FILTER (NOT closed AND cents > 0) AS open_value,
    max(last_activity_day) FILTER (last_activity_day <= today()) AS last_activity_day,
    min(day) FILTER (won) AS first_day,
    max(day) FILTER (won) AS last_day,
    sum(cents) FILTER (won) AS spend,
    sum(cents) FILTER (won AND day > today() - 365) AS year_spend,
    sum(cents) FILTER (won AND day > today() - 182) AS half_spend,
    sum(cents) FILTER (won AND day > today() - 547 AND day <= today() - 365) AS half_before,
    count(*) FILTER (begun > today() - 182) AS half_deals,
    count(*) FILTER (begun > today() - 547 AND begun <= today() - 365) AS half_deals_before,
    count(*) FILTER (won AND day <= cut()) AS cut_purchases,
    max(day) FILTER (won AND day <= cut()) AS cut_last_day,
    sum(cents) FILTER (won AND day <= cut()) AS cut_spend,
    bool_or(created_day <= cut() AND (NOT closed OR day > cut())) AS cut_open,
    min(created_day) AS first_created,
    bit_xor(fingerprint) AS fingerprint
FROM event WHERE account_id IS NOT NULL GROUP BY account_id;
