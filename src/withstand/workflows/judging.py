"""What a scan found, against what the team has said about it: suppressions and known findings."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from withstand.openapi.operation import Api
from withstand.scan.catalogue import all_checks
from withstand.scan.records.known import with_known
from withstand.scan.records.record import Described, ScanRecord
from withstand.scan.records.suppression import without_suppressed
from withstand.workflows.occasion import Occasion


def settled(record: ScanRecord, occasion: Occasion, api: Api) -> ScanRecord:
    """The record with accepted and known findings set aside, and where the API is described.

    Days are those of UTC.
    """
    record = without_suppressed(
        replace(record, described=described(api, occasion.config)),
        occasion.suppressions,
        datetime.now(UTC).date(),
        checks=frozenset(check.name for check in all_checks()) if occasion.suppressions else None,
    )
    if occasion.baseline is None:
        return record
    return with_known(record, occasion.baseline.known, file=occasion.baseline.file)


def described(api: Api, config: str | None) -> Described | None:
    """The document as a file of the repository, else the configuration that names it.

    None where neither is a file below the repository's root: code scanning shows no other place.
    """
    lines = {each.key: each.line for each in api.operations if each.line is not None}
    document = _in_repository(api.source)
    if document is not None:
        return Described(file=document, lines=lines)
    name = _in_repository((config or "").removeprefix("[tool.withstand] in "))
    return None if name is None else Described(file=name, lines={})


def _in_repository(name: str) -> str | None:
    """The file's name from the repository's root on; without a repository, from here on."""
    if not name or "://" in name:
        return None
    path = Path(name).absolute()
    if not path.is_file():
        return None
    root = next((each for each in path.parents if (each / ".git").exists()), Path.cwd())
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return None
