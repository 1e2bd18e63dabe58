"""What is sent: text that breaks out of the place it was meant for."""
