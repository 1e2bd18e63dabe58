"""When requests are sent: load shapes as arithmetic, and the rhythm of users."""
