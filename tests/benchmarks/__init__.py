"""Benchmarks: figures in CPU seconds, memory, API calls and ratios; nothing here passes or fails."""
