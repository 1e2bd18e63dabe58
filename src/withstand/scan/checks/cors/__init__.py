"""Which other web sites may read the answers."""
