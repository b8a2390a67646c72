"""The ledger's migrations, run forward on start."""
