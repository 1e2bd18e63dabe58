"""One scan under way: which check runs on what and when, and cleaning up behind it."""
