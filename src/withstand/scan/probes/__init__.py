"""What checks of one kind share: how something is asked, and what in an answer tells."""
