-- How many deals were won after how many days, and how many days ago; without a table in between, for the first reading.
SELECT 'purchase_age' AS what, today() - day AS days, count(*) AS deals FROM deal WHERE won GROUP BY days
UNION ALL
SELECT 'cycle', least(day - created_day, 3650) AS days, count(*) FROM deal WHERE won AND created_day <= day GROUP BY days
