"""What is read of the canonical tables, by SQL: features of each account and deal, families, and how deals ended."""
