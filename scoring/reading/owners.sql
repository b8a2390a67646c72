-- Who owners are, what they are to reach, can hold, and where they work: whole in every bucket.

-- Quotas of years, quarters and months may overlap: the shortest period around today counts.
CREATE OR REPLACE TEMP TABLE working AS
SELECT id, w.active, w.team, u.cents AS quota, y.accounts AS capacity
FROM owner w FULL JOIN (
    SELECT owner_id AS id, sum_in_range(sum(in_cents(amount))) AS cents
    FROM quota WHERE owner_id IS NOT NULL AND today() BETWEEN day_of("start") AND day_of("end")
    GROUP BY owner_id, "start", "end"
    QUALIFY row_number() OVER (PARTITION BY owner_id ORDER BY "end" - "start", "start") = 1) u USING (id)
FULL JOIN (SELECT owner_id AS id, max(accounts) AS accounts FROM capacity WHERE accounts > 0 GROUP BY owner_id) y USING (id);

CREATE OR REPLACE TEMP TABLE worked AS
SELECT lower(trim(territory)) AS territory, list(owner_id) AS owners FROM territory GROUP BY ALL;
