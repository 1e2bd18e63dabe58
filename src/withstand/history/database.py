"""Opening a history file: its schema, other writers, and a sentence for whatever goes wrong."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from withstand.errors import UsageError
from withstand.history.schema import APPLICATION_ID, MIGRATIONS

_BUSY_S: Final = 15.0
_RETRY_S: Final = 0.02


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The history at a path, made or brought up to date if need be. Changes go in `changing`.

    Raises UsageError for a file that is none, is newer than this Withstand, or cannot be written;
    also for what goes wrong within.
    """
    with told(path):
        if str(path.parent) not in ("", "."):
            path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        try:
            if _version(connection, path) < len(MIGRATIONS):
                _to_wal(connection)
                _migrate(connection, path)
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection
        finally:
            connection.close()


@contextmanager
def opened_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """The same of a file that is there, and that nobody changes by looking: it may be read-only.

    Raises UsageError, also for a file of an older version that cannot be brought up to date.
    """
    if not path.is_file():
        raise UsageError(
            f"there is no history {path}",
            hint="a run writes it that is given --history FILE, or file under [history]",
        )
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        with opened(path) as connection:
            yield connection
        return
    with told(path):
        # Where nobody can write, nobody does: SQLite needs no lock, which it could not take.
        name = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
        connection = sqlite3.connect(name, uri=True, isolation_level=None)
        try:
            if (version := _version(connection, path)) < len(MIGRATIONS):
                raise UsageError(
                    f"the history {path} is of version {version}, and cannot be brought up to "
                    f"version {len(MIGRATIONS)} because it cannot be written",
                    hint="copy it to a folder that you may write to",
                )
            yield connection
        finally:
            connection.close()


@contextmanager
def changing(connection: sqlite3.Connection) -> Iterator[None]:
    """All of what is done within, or nothing of it. Waits for other writers first."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled it back already
            connection.execute("ROLLBACK")
        raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What SQLite or the file system refuses, as a UsageError."""
    try:
        yield
    except sqlite3.Error as error:
        raise _sentence(path, error) from None
    except OSError as error:
        raise UsageError(
            f"the history {path} cannot be used: {error.strerror}",
            hint="name a file in a folder that you may write to",
        ) from None


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the file, 0 of an empty one. Raises UsageError for what is no history."""
    # One statement: another process may be making the file at this moment.
    version, application, tables = connection.execute(
        "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_master) "
        "FROM pragma_user_version, pragma_application_id"
    ).fetchone()
    if application != APPLICATION_ID and (tables or version):
        raise UsageError(
            f"{path} is a database of another program", hint="name another file for the history"
        )
    if version > len(MIGRATIONS):
        raise UsageError(
            f"the history {path} is of version {version}, and this Withstand knows versions up to "
            f"{len(MIGRATIONS)}",
            hint="use the newer Withstand that wrote it, or name another file",
        )
    return int(version)


def _to_wal(connection: sqlite3.Connection) -> None:
    """Readers and a writer then do not wait for each other. SQLite does not wait for its turn to
    change this, so that is done here."""
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > until:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    with changing(connection):
        # Another process may have done it while this one waited.
        for step in MIGRATIONS[_version(connection, path) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _is_busy(error: sqlite3.Error) -> bool:
    return _kind(error) in ("SQLITE_BUSY", "SQLITE_LOCKED")


def _kind(error: sqlite3.Error) -> str:
    """SQLite's primary code: SQLITE_IOERR of SQLITE_IOERR_WRITE."""
    name = getattr(error, "sqlite_errorname", None) or ""
    return "_".join(name.split("_")[:2])


def _sentence(path: Path, error: sqlite3.Error) -> UsageError:
    match _kind(error):
        case "SQLITE_READONLY":
            why, hint = "it is read-only", "name a file that you may write to"
        case "SQLITE_CANTOPEN":
            why = "it cannot be opened"
            hint = "name a file in a folder that you may write to"
        case "SQLITE_FULL":
            why, hint = "the disk is full", "make room, or keep fewer runs with `keep`"
        case "SQLITE_BUSY" | "SQLITE_LOCKED":
            why = f"another process has been writing to it for more than {_BUSY_S:g} s"
            hint = "wait for it, or give each process a history of its own"
        case "SQLITE_NOTADB" | "SQLITE_CORRUPT":
            why, hint = "it is no SQLite database, or a damaged one", "name another file"
        case _:
            why, hint = str(error), "name a file on a local disk that you may write to"
    return UsageError(f"the history {path} cannot be used: {why}", hint=hint)
