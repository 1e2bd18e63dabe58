"""A plain `def` user who mostly thinks: for the memory of idle users."""

from withstand.load import Client, user


@user
def visit(client: Client) -> None:
    """One request, then ten seconds of nothing."""
    client.get("/users")
    client.think(10)
