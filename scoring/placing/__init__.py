"""Which tier a record gets, whose rules hold for it, and what keeps tags calm."""
