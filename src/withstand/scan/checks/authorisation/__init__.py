"""What they may do: roles and the objects of other users."""
