"""Growth potential: where an account could be."""
