"""The pytest plugin, from the outside: what a project that uses it sees."""
