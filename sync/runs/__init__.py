"""Runs beside the usual one: a backfill, an undo, a retry. Each goes the pipeline's way, with a plan of its own."""
