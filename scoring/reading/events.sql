-- What happened in one bucket: its deals as events, and its purchases. They are read many times: so they are tables.

CREATE OR REPLACE TEMP TABLE event AS
SELECT id, account_id, owner_id, product, type, pipeline, cents, won, closed, day, created_day,
    -- A deal began no later than it ended, whenever it was entered.
    least(created_day, day) AS begun,
    day_of(last_activity_date) AS last_activity_day,
    hash(id, stage, won, closed, close_day, cents) AS fingerprint
FROM deal;

-- All that was won on one day is one purchase.
CREATE OR REPLACE TEMP TABLE purchase AS
SELECT account_id, day, sum_in_range(sum(cents)) AS cents
FROM event WHERE won AND account_id IS NOT NULL GROUP BY account_id, day;
