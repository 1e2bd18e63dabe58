"""An `async def` user for the benchmarks: a request, its status checked."""

from withstand.load import AsyncClient, user


@user
async def visit(client: AsyncClient) -> None:
    """One request."""
    response = await client.get("/users")
    assert response.status == 200
