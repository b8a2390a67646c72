"""What the rules ask of records: whose rules hold for which, what their conditions may name, and where they hold."""
