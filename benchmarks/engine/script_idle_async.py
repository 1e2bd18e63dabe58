"""An `async def` user who mostly thinks: for the memory of idle users."""

from withstand.load import AsyncClient, user


@user
async def visit(client: AsyncClient) -> None:
    """One request, then ten seconds of nothing."""
    await client.get("/users")
    await client.think(10)
