"""The sections of the rules file, one model each."""
