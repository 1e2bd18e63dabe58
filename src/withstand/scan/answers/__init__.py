"""What an answer says: its kind, whether it refuses, whether two say the same."""
