"""What a user writes, and what every other package agrees on: settings, rules, records, our fields."""
