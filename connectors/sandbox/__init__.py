"""A local CRM that speaks the real wire protocols: for the demo, for trying rules, and for every test."""
