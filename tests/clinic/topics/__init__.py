"""One file a topic: `blueprint`, `PATHS` and `FLAWS`."""
