"""The baseline file: read, and written as a whole or not at all."""

from collections.abc import Iterable
from pathlib import Path

from withstand.errors import UsageError
from withstand.scan.finding import KnownFinding
from withstand.scan.records.known import baseline_text, read_baseline
from withstand.workflows.occasion import Baseline


def read_baseline_file(path: Path, *, may_be_missing: bool = False) -> Baseline:
    """What the file says is known; nothing yet where it may be missing. Raises UsageError."""
    name = shown(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if may_be_missing:
            return Baseline(file=name, known=())
        raise UsageError(
            f"there is no baseline file {name}",
            hint=f"write it with withstand scan --baseline {name} --update-baseline",
        ) from None
    except OSError as error:
        raise UsageError(
            f"the baseline file {name} cannot be read: {error.strerror}",
            hint="name a file that you may read",
        ) from None
    except UnicodeDecodeError:
        raise UsageError(
            f"the baseline file {name} is no UTF-8 text", hint="take it from version control again"
        ) from None
    return Baseline(file=name, known=read_baseline(text, source=name))


def write_baseline_file(path: Path, known: Iterable[KnownFinding]) -> None:
    """Writes what is known; folders are made. Raises UsageError."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(baseline_text(known), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise UsageError(
            f"the baseline file {shown(path)} cannot be written: {error.strerror}",
            hint="name a file in a folder that you may write to",
        ) from None


def shown(path: Path) -> str:
    """The file as messages name it: from here on, if it lies there."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)
