-- Features of the deals of one bucket that have or hold a tag: one row each; over the tables of the other files.
SELECT d.id, d.name, d.account_id, d.owner_id, d.stage, d.type, coalesce(d.product, i.product) AS product, d.closed,
    d.pipeline, w.team, d.created_day, day_of_stamp(d.stage_changed_at) AS stage_day,
    i.margin AS items_margin, w.quota AS owner_quota, w.capacity AS owner_capacity,
    coalesce(CASE WHEN d.touches >= 0 THEN d.touches END, c.contacts, CASE WHEN contacts_read() THEN 0 END) AS touches,
    coalesce(k.need_cases > 0, false) AS need_case,
    coalesce(k.urgent_cases > 0, false) AS urgent_case,
    coalesce(a.row, -1) AS account_row,
    a.name AS account_name,
    coalesce(w.active, true) AS owner_active,
    CASE WHEN d.cents > 0 THEN d.cents END AS cents,
    d.close_day,
    CASE WHEN coalesce(d.probability, d.stage_probability) BETWEEN 0 AND 100
        THEN CAST(coalesce(d.probability, d.stage_probability) AS BIGINT) END AS probability,
    greatest(coalesce(d.push_count, 0), 0) AS pushes,
    CASE WHEN d.margin BETWEEN -1000 AND 100 THEN d.margin END AS margin,
    coalesce(greatest(day_of(d.last_activity_date), day_of_stamp(d.stage_changed_at), c.last_day), d.created_day)
        AS moved_day,
    day_of(d.need_by) AS need_day,
    coalesce(length(trim(d.pain)) > 0, false) AS pain,
    d.foretag_override AS override,
    day_of(d.foretag_override_until) AS override_until,
    d.foretag_override_reason AS override_reason,
    CAST(hash(d.stage, d.cents, d.close_day, d.probability, d.push_count, d.margin, d.owner_id, d.need_by, d.pain,
        d.type, d.product, d.pipeline, d.touches, d.last_activity_date, d.stage_changed_at, d.account_id, w.active, w.team,
        c.contacts, c.last_day, i.product, i.margin, k.need_cases, k.urgent_cases) >> 1
        AS BIGINT) AS fingerprint
FROM deal d
LEFT JOIN (SELECT id, name, row_number() OVER (ORDER BY id) - 1 AS row FROM account WHERE id IS NOT NULL) a
    ON d.account_id = a.id
LEFT JOIN working w ON d.owner_id = w.id
LEFT JOIN asked k ON d.account_id = k.account_id
LEFT JOIN deal_contact c ON d.id = c.opportunity_id AND d.account_id = c.account_id LEFT JOIN deal_item i ON d.id = i.opportunity_id
WHERE d.id IS NOT NULL AND (every_deal() OR NOT d.closed OR d.foretag_tier IS NOT NULL OR d.foretag_reason IS NOT NULL)
ORDER BY d.id
