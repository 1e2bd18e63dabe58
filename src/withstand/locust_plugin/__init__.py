"""Runs in Locust's own processes: a faster client under its users, and exact results."""
