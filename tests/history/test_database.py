"""A history file is made, brought up to date, or refused with a sentence."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.history.remembered import kept, run_of
from withstand.errors import UsageError
from withstand.history import database
from withstand.history.database import changing, opened, opened_to_read
from withstand.history.schema import APPLICATION_ID, MIGRATIONS


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "history.sqlite"


def version_of(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def of_version(path: Path, version: int) -> None:
    """A file as that version left it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    for step in MIGRATIONS[:version]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()


def test_a_history_is_made_with_its_folder_and_keeps_a_log_ahead_of_its_writes(
    history: Path,
) -> None:
    with opened(history) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert version_of(history) == len(MIGRATIONS)


def test_a_history_of_an_older_version_is_brought_up_to_date_and_keeps_its_runs(
    history: Path,
) -> None:
    of_version(history, 1)
    connection = sqlite3.connect(history)
    connection.execute("INSERT INTO machines VALUES ('f', 'a machine')")
    connection.commit()
    connection.close()
    with opened(history) as migrated:
        assert migrated.execute("SELECT * FROM machines").fetchall() == [("f", "a machine")]
    assert version_of(history) == len(MIGRATIONS)


def test_a_migration_that_fails_leaves_the_older_version_whole(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_version(history, 1)
    broken = (*MIGRATIONS[1], "CREATE TABLE runs (twice INTEGER)")
    monkeypatch.setattr(database, "MIGRATIONS", (MIGRATIONS[0], broken))
    with pytest.raises(UsageError, match="table runs already exists"), opened(history):
        pass
    assert version_of(history) == 1
    connection = sqlite3.connect(history)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
    connection.close()
    assert "durations" not in names


def test_a_history_of_a_newer_version_is_refused_and_left_alone(history: Path) -> None:
    kept(history, run_of(20))
    connection = sqlite3.connect(history)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = history.read_bytes()
    with pytest.raises(UsageError, match=r"is of version 99, and this Withstand knows"):
        kept(history, run_of(20))
    assert history.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_left_alone(history: Path) -> None:
    history.parent.mkdir()
    connection = sqlite3.connect(history)
    connection.execute("CREATE TABLE shopping (list TEXT)")
    connection.close()
    before = history.read_bytes()
    with pytest.raises(UsageError, match="database of another program"), opened(history):
        pass
    assert history.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(history: Path) -> None:
    history.parent.mkdir()
    history.write_text("this is no database, however long it is. " * 40)
    with pytest.raises(UsageError, match="no SQLite database"), opened(history):
        pass
    assert history.read_text().startswith("this is no database")


def test_a_folder_in_the_place_of_the_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be opened"), opened(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be used: (Not a directory|File exists)"):
        kept(tmp_path / "file" / "deep" / "history.sqlite", run_of(20))


def _write_too_much(history: Path) -> None:
    with opened(history) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")  # as if the disk ended there
        with changing(connection):
            connection.execute("INSERT INTO machines VALUES ('f', ?)", ("x" * 100_000,))


def test_a_full_disk_is_a_sentence_and_leaves_the_history_as_it_was(history: Path) -> None:
    kept(history, run_of(20))
    with pytest.raises(UsageError, match="the disk is full"):
        _write_too_much(history)
    with opened(history) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM machines").fetchone() == (1,)


def test_a_writer_that_has_to_wait_too_long_says_why(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_S", 0.05)
    with (
        opened(history) as first,
        changing(first),
        pytest.raises(UsageError, match="another process has been writing"),
    ):
        kept(history, run_of(20))


_UNWRITABLE = """
import os, sys
from pathlib import Path
path = Path(sys.argv[1])
from tests.history.remembered import kept, run_of
from withstand.errors import UsageError
from withstand.history.database import opened_to_read
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
with opened_to_read(path) as connection:
    print("runs", connection.execute("SELECT count(*) FROM runs").fetchone()[0])
try:
    kept(path, run_of(20))
except UsageError as error:
    print(error)
"""


def test_a_read_only_history_can_be_looked_at_and_not_written_to(history: Path) -> None:
    kept(history, run_of(20))
    # Nobody else may read a test's folders; this one is looked at by somebody who may not write.
    for folder in (history.parent, *history.parent.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    history.chmod(0o444)
    history.parent.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _UNWRITABLE, str(history)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        history.parent.chmod(0o755)
    assert done.stderr == ""
    assert "runs 1\n" in done.stdout
    assert "cannot be used: it is read-only" in done.stdout


def test_there_has_to_be_a_history_to_look_at(history: Path) -> None:
    with pytest.raises(UsageError, match="there is no history"), opened_to_read(history):
        pass
    assert not history.exists()
