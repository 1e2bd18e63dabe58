"""What comes back that should have stayed inside."""
