"""Which calls put a whole database back to its beginning."""

import pytest

from withstand.openapi.operation import Operation, Parameter
from withstand.openapi.starting_over import starts_over


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("GET /createdb", {}),
        ("GET /init_db", {}),
        ("GET /resetdb", {}),
        ("GET /db/init", {}),
        ("GET /tables/create", {}),
        ("GET /api/v1/populate-database", {}),
        ("POST /admin/reloadFixtures", {}),
        ("GET /setup", {}),
        ("POST /api/install", {}),
        ("GET /load_sample_data", {}),
        ("GET /restore-defaults", {}),
        ("GET /start", {"operation_id": "api_views.main.populate_db"}),
        ("GET /begin", {"operation_id": "resetDatabase"}),
        ("GET /go", {"summary": "Creates and populates the database with dummy data"}),
        ("POST /go", {"summary": "Reset the whole database"}),
        ("GET /fresh", {"summary": "Re-initialise all tables"}),
    ],
)
def test_a_call_that_starts_over_is_known_by_its_path_id_or_summary(
    key: str, more: dict[str, str]
) -> None:
    assert starts_over(_operation(key, more))


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("POST /databases", {"operation_id": "createDatabase", "summary": "Create a database"}),
        ("POST /databases/{id}/restore", {"summary": "Restore a database"}),
        ("GET /databases", {"operation_id": "listDatabases", "summary": "List all databases"}),
        ("POST /mfa/setup", {"summary": "Set up a second factor"}),
        ("GET /tables", {"summary": "Tables of the restaurant"}),
        ("POST /tables/create", {"summary": "Set up a table of the restaurant"}),
        ("POST /orders", {"summary": "Create an order in the database"}),
        ("GET /items", {"summary": "Load items from the database"}),
        ("GET /data", {"operation_id": "getData"}),
        ("POST /data/import", {}),
        ("POST /users", {"operation_id": "views.users.create_user"}),
        ("GET /schema", {}),
        ("GET /report", {"summary": "Create a report from the database"}),
    ],
)
def test_what_makes_or_reads_one_of_many_does_not_start_over(
    key: str, more: dict[str, str]
) -> None:
    assert not starts_over(_operation(key, more))


def _operation(key: str, more: dict[str, str]) -> Operation:
    method, _, path = key.partition(" ")
    named = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    parameters = tuple(
        Parameter(name=name, location="path", required=True, schema={}) for name in named
    )
    return Operation(
        method=method,
        path=path,
        parameters=parameters,
        operation_id=more.get("operation_id"),
        summary=more.get("summary", ""),
    )
