"""The way to the API: sessions, budgets, noise, whom nothing is done to, what was sent."""
