"""How long tests took, into the file that shards are balanced by."""

from datetime import date
from pathlib import Path

from withstand.errors import UsageError
from withstand.sharding.durations import SuiteDurations, durations_text, parse_durations
from withstand.sharding.suite import SuiteRecord


def note_durations(file: Path, suite: SuiteRecord, *, day: date) -> None:
    """Note in a file of durations what the tests of a suite took that passed; it is made where
    there is none. Raises UsageError for one that cannot be read or written.
    """
    try:
        before = (
            parse_durations(file.read_text(encoding="utf-8"), source=str(file))
            if file.exists()
            else SuiteDurations()
        )
        for machine, passed_ms in suite.passed_ms():
            before = before.noted(machine, passed_ms, day)
        file.write_text(durations_text(before), encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the durations {file} cannot be brought up to date: {error}",
            hint="name a file that you may read and write",
        ) from None
