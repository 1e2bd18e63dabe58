"""What one query may ask for."""
