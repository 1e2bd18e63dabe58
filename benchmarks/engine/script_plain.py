"""A plain `def` user for the benchmarks: a request, its status checked."""

from withstand.load import Client, user


@user
def visit(client: Client) -> None:
    """One request."""
    response = client.get("/users")
    assert response.status == 200
