"""What scoring reads: features by SQL, and what is known of records by the names that rules use."""
