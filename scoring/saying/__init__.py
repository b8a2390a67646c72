"""What is said to people: reasons, next steps, tasks, alerts, and where each point came from."""
