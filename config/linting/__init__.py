"""What is wrong with rules that each fit their model."""
