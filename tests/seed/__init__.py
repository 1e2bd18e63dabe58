"""The page that the project grew from: every snippet on it runs as it stands there."""
