"""What sends in the place of Locust's clients, and leaves to them what they know better."""
