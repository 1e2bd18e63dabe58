"""How a database betrays that it reads part of a request as SQL."""
