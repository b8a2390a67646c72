-- What was sold in one bucket: product and margin of each deal, the products of each account; over events.sql.

-- A margin speaks for the whole deal only where the cost of most of it is known.
CREATE OR REPLACE TEMP TABLE deal_item AS
SELECT opportunity_id, product,
    CASE WHEN costed > 0 AND 2 * costed >= cents AND 100 * (1 - cost / costed) BETWEEN -1000 AND 100
        THEN 100 * (1 - cost / costed) END AS margin
FROM (
    SELECT opportunity_id,
        sum(in_cents(amount)) AS cents,
        sum(in_cents(amount)) FILTER (cost IS NOT NULL) AS costed,
        sum(in_cents(cost)) FILTER (amount IS NOT NULL) AS cost,
        max({'cents': in_cents(amount), 'product': product}).product AS product
    FROM line_item WHERE opportunity_id IS NOT NULL GROUP BY opportunity_id);

-- The products that an account bought, in no order, some more than once: who reads them takes each as a yes.
CREATE OR REPLACE TEMP TABLE owned AS
SELECT account_id, list(product) AS products FROM (
    SELECT account_id, product FROM event WHERE won AND length(product) > 0
    UNION ALL
    SELECT e.account_id, l.product
    FROM line_item l JOIN event e ON l.opportunity_id = e.id WHERE e.won AND length(l.product) > 0)
WHERE account_id IS NOT NULL GROUP BY account_id;
