"""Numbers: columns as arrays, counts that add up, points and odds, and points learned from what happened."""
