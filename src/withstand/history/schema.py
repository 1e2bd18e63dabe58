"""The tables of a history file, one step a version. Pure.

A step that was released is never changed: a new one is added, which makes the older file the newer.
"""

from typing import Final

APPLICATION_ID: Final = 0x57697468  # "With": tells the file from other programs' databases

_RUNS: Final = (
    "CREATE TABLE machines (fingerprint TEXT PRIMARY KEY, description TEXT NOT NULL)",
    # `flaw`: why the figures say nothing about the API; such a run is part of no trend.
    # `document`: the Results as a results file has them, deflated, without scan and windows.
    """CREATE TABLE runs (
        run INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        started_at REAL NOT NULL,
        version TEXT NOT NULL,
        commit_id TEXT,
        target TEXT NOT NULL,
        shape TEXT NOT NULL,
        machine TEXT NOT NULL REFERENCES machines,
        calibration_ns INTEGER NOT NULL,
        offered_per_s REAL,
        achieved_per_s REAL,
        warm_up_s INTEGER NOT NULL,
        sustainable_per_s REAL,
        flaw TEXT,
        document BLOB NOT NULL
    )""",
    "CREATE INDEX runs_of_a_series ON runs (kind, target, shape, machine, started_at)",
    # What is judged of a run, without its warm-up: the sum of windows, so that trends are quick.
    """CREATE TABLE operations (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        operation TEXT NOT NULL,
        requests INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        response_time TEXT NOT NULL,
        PRIMARY KEY (run, operation)
    )""",
    # `step`: which one of a search for the sustainable rate; 0 of any other run.
    """CREATE TABLE windows (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        step INTEGER NOT NULL,
        operation TEXT NOT NULL,
        second INTEGER NOT NULL,
        width_s INTEGER NOT NULL,
        requests INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        counts BLOB NOT NULL,
        PRIMARY KEY (run, step, operation, second)
    )""",
)
_DURATIONS: Final = (
    """CREATE TABLE durations (
        nodeid TEXT PRIMARY KEY,
        duration_ns INTEGER NOT NULL,
        measured_at REAL NOT NULL
    )""",
)

# They are in a file that can be committed: shards on other machines have to read the same.
_NO_DURATIONS: Final = ("DROP TABLE durations",)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_RUNS, _DURATIONS, _NO_DURATIONS)
"""What makes a file of version N one of version N + 1, from an empty one on."""
