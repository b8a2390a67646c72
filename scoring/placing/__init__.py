"""Which tier a record gets, and what keeps tags calm."""
