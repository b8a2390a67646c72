"""The worker: pull, score, plan, apply, record, and the command line around them."""
