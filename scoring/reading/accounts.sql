-- Features of the accounts of one bucket: one row each; over the tables of the other files.
SELECT a.id, a.name, a.owner_id, a.parent_id, a.type, a.industry, a.country, a.employees,
    CAST(a.annual_revenue AS DOUBLE) AS annual_revenue,
    coalesce(w.active, true) AS owner_active,
    -- Peers share industry and size; size is head count, else revenue.
    CASE WHEN a.employees < 10 THEN '1' WHEN a.employees < 50 THEN '2' WHEN a.employees < 250 THEN '3'
        WHEN a.employees < 1000 THEN '4' WHEN a.employees < 5000 THEN '5' WHEN a.employees >= 5000 THEN '6'
        WHEN a.annual_revenue < 2000000 THEN '1' WHEN a.annual_revenue < 10000000 THEN '2'
        WHEN a.annual_revenue < 50000000 THEN '3' WHEN a.annual_revenue < 250000000 THEN '4'
        WHEN a.annual_revenue < 1000000000 THEN '5' WHEN a.annual_revenue >= 1000000000 THEN '6'
        ELSE '' END AS size_class,
    CASE WHEN length(trim(a.industry)) > 0 THEN lower(trim(a.industry)) || '|' || size_class END AS peer,
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
    coalesce(s.half_deals, 0) AS half_deals,
    coalesce(s.half_deals_before, 0) AS half_deals_before,
    sum_in_range(s.cut_spend) AS cut_spend,
    coalesce(b.purchase_days, 0) AS purchase_days,
    coalesce(b.cut_purchase_days, 0) AS cut_purchase_days,
    coalesce(b.season_purchase_days, 0) AS season_purchase_days,
    b.season_last_day, coalesce(b.season_again, false) AS season_again,
    coalesce(b.eve_purchase_days, 0) AS eve_purchase_days,
    b.eve_last_day, coalesce(b.eve_again, false) AS eve_again,
    CAST(hash(a.id) % 1000 AS BIGINT) AS lot,
    coalesce(b.first_value, 0) AS first_value,
    coalesce(b.priced_days, 0) AS priced_days,
    CAST(coalesce(b.log_values, 0) AS BIGINT) AS log_values,
    CAST(coalesce(b.log_squares, 0) AS BIGINT) AS log_squares,
    sum_in_range(b.q0) AS q0, sum_in_range(b.q1) AS q1, sum_in_range(b.q2) AS q2, sum_in_range(b.q3) AS q3,
    sum_in_range(b.q4) AS q4, sum_in_range(b.q5) AS q5, sum_in_range(b.q6) AS q6, sum_in_range(b.q7) AS q7,
    sum_in_range(s.open_value) AS open_value,
    coalesce(s.closed - s.purchases, 0) AS lost,
    coalesce(k.open_cases, 0) AS open_cases,
    coalesce(k.need_cases, 0) AS need_cases,
    coalesce(k.urgent_cases, 0) AS urgent_cases,
    greatest(CASE WHEN day_of(a.last_activity_date) <= today() THEN day_of(a.last_activity_date) END,
        s.last_activity_day, c.last_day) AS last_activity_day,
    c.last_call_day, c.last_email_day, c.last_meeting_day,
    coalesce(CASE WHEN a.touches >= 0 THEN a.touches END, c.contacts, CASE WHEN contacts_read() THEN 0 END) AS touches,
    CASE WHEN a.company_growth BETWEEN -100 AND 10000 THEN a.company_growth END AS company_growth,
    a.territory, w.team, coalesce(a.opted_out, false) AS opted_out,
    day_of_stamp(a.created_at) AS created_day,
    w.quota AS owner_quota, w.capacity AS owner_capacity, list_contains(t.owners, a.owner_id) AS in_territory,
    r.plan.cents AS promised,
    nullif(r.plan.due, 0) AS promised_day,
    coalesce(p.plans, 0) AS plans_due,
    coalesce(p.promised, 0) AS plans_promised,
    coalesce(p.reached, 0) AS plans_reached,
    coalesce(g.size, 1) AS group_size,
    coalesce(g.year_spend, sum_in_range(s.year_spend)) AS group_year_spend,
    coalesce(g.open_value, sum_in_range(s.open_value)) AS group_open_value,
    o.products,
    in_cents(a.foretag_growth_plan) AS plan,
    day_of(a.foretag_growth_plan_by) AS plan_day,
    a.foretag_override AS override,
    day_of(a.foretag_override_until) AS override_until,
    a.foretag_override_reason AS override_reason,
    CAST(xor(coalesce(s.fingerprint, 0), hash(a.owner_id, a.industry, a.employees, a.annual_revenue,
        a.foretag_growth_plan, a.foretag_growth_plan_by, a.type, a.country, a.territory, a.opted_out, a.company_growth,
        a.parent_id, a.touches, a.last_activity_date, w.active, w.team, c.contacts, c.last_day, s.last_activity_day,
        k.open_cases, k.need_cases, k.urgent_cases)) >> 1 AS BIGINT) AS fingerprint
FROM account a LEFT JOIN spent s ON a.id = s.account_id LEFT JOIN bought b ON a.id = b.account_id
LEFT JOIN working w ON a.owner_id = w.id
LEFT JOIN asked k ON a.id = k.account_id LEFT JOIN account_contact c ON a.id = c.account_id
LEFT JOIN worked t ON lower(trim(a.territory)) = t.territory
LEFT JOIN running r ON a.id = r.account_id LEFT JOIN kept p ON a.id = p.account_id
LEFT JOIN family g ON a.id = g.id LEFT JOIN owned o ON a.id = o.account_id
WHERE a.id IS NOT NULL
ORDER BY a.id
