"""What each command does, between the command line's options and the pipeline; each returns its exit code."""
