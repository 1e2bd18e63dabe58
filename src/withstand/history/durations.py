"""How long tests took, by node id: what a suite is balanced by when it is split into shards."""

import sqlite3
from collections.abc import Mapping

from withstand.history.database import changing


def write_durations(
    connection: sqlite3.Connection, durations_ns: Mapping[str, int], *, measured_at: float
) -> None:
    """Note tests' durations in nanoseconds, all at once, measured at a time in Unix seconds.

    A newer measurement replaces an older one, whichever is written last.
    """
    with changing(connection):
        connection.executemany(
            "INSERT INTO durations VALUES (?, ?, ?) ON CONFLICT (nodeid) DO UPDATE SET "
            "duration_ns = excluded.duration_ns, measured_at = excluded.measured_at "
            "WHERE excluded.measured_at >= measured_at",
            [(nodeid, taken_ns, measured_at) for nodeid, taken_ns in durations_ns.items()],
        )


def read_durations(connection: sqlite3.Connection, *, since: float = 0.0) -> dict[str, int]:
    """The duration of each test in nanoseconds, of those measured since a time."""
    rows = connection.execute(
        "SELECT nodeid, duration_ns FROM durations WHERE measured_at >= ? ORDER BY nodeid", (since,)
    )
    return dict(rows.fetchall())
