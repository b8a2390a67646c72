"""The book as managers see it: who matters, what hangs on whom, who looks after whom."""
