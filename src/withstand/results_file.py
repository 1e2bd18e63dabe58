"""Results ↔ one versioned JSON file.

Histograms are stored in their compact form, bodies as text where they are UTF-8 and as base64
where not. Verdicts are not stored: whoever reads the file computes them anew. A file of a newer
version, and anything else that is no Results file, is refused with one sentence.

A checkpoint is a file of a run under way, or of one that was cut off: a line for each stretch of
the run, each of them Results whose load is a snapshot. It is read as the Results so far.

A journal is the same of a run of a suite: Results whose suite has no test that is finished, then a
line for each test that is, and one for the end of the run.
"""

import base64
import json
import os
import tempfile
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import cattrs

from withstand.errors import UsageError
from withstand.load.codec import new_converter, only
from withstand.load.journal import Journal
from withstand.results import Results
from withstand.sharding.suite import Finished

SCHEMA_VERSION: Final = 1
_FORMAT: Final = "withstand-results"
_CHECKPOINT: Final = "withstand-checkpoint"
_JOURNAL: Final = "withstand-journal"
_HINT: Final = "give a file that --json, --report-dir or --checkpoint wrote"


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """What happened so many seconds after the start of a suite: one of the three."""

    after_s: float
    finished: Finished | None = None
    uncollected: str | None = None
    exit_code: int | None = None


def write_results(path: Path, results: Results) -> None:
    """Write the file as a whole or not at all; folders are made. Raises UsageError."""
    text = to_json(results)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            # A temporary file is private; a results file is as readable as any other.
            umask = os.umask(0)
            os.umask(umask)
            Path(name).chmod(0o666 & ~umask)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(
            f"the results cannot be written to {path}: {error.strerror}",
            hint="name a file in a folder that you may write to",
        ) from None


def read_results(path: Path) -> Results:
    """The Results of a file. Raises UsageError when it cannot be read or is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the results file {path} cannot be read: {error.strerror}",
            hint=_HINT,
        ) from None
    except UnicodeDecodeError:
        raise _refused(str(path), "it is no UTF-8 text") from None
    if is_checkpoint(text):
        return from_checkpoint(text, source=str(path))
    if is_journal(text):
        return from_journal(text, source=str(path))
    return from_json(text, source=str(path))


def to_json(results: Results) -> str:
    """The Results as a JSON document, keys in a fixed order, one line."""
    return _line(_FORMAT, results)


def checkpoint_line(results: Results) -> str:
    """The next line of a checkpoint: Results whose load is the next snapshot."""
    return _line(_CHECKPOINT, results)


def from_json(text: str, *, source: str) -> Results:
    """The Results of a JSON document. Raises UsageError naming the source and the first fault."""
    return _read(_FORMAT, text, source)


def from_checkpoint(text: str, *, source: str) -> Results:
    """The Results of a checkpoint. Whatever was cut off while its last line was written is left
    out; unless that line says that the run came to its end, it was interrupted. Raises UsageError.
    """
    lines = text.splitlines(keepends=True)
    journal, results = Journal(), None
    for number, line in enumerate(lines, start=1):
        if number == len(lines) > 1 and not line.endswith("\n"):
            break
        results = _read(_CHECKPOINT, line, f"line {number} of {source}")
        if results.load is not None:
            journal.apply(results.load)
    if results is None:
        raise _refused(source, "it has no line")
    return replace(results, load=journal.measurement())


def is_results(text: str) -> bool:
    """Whether a file that begins so is for `read_results`."""
    return text.startswith(tuple(map(_head, (_FORMAT, _CHECKPOINT, _JOURNAL))))


def is_checkpoint(text: str) -> bool:
    """Whether a file that begins so is a checkpoint of a run."""
    return text.startswith(_head(_CHECKPOINT))


def is_journal(text: str) -> bool:
    """Whether a file that begins so is a journal of a suite."""
    return text.startswith(_head(_JOURNAL))


def journal_head(results: Results) -> str:
    """The first line of a journal: Results whose suite has one part, without an end."""
    return _line(_JOURNAL, results)


def journal_entry(entry: JournalEntry) -> str:
    """A further line of a journal."""
    said = {name: value for name, value in asdict(entry).items() if value is not None}
    return json.dumps(said, allow_nan=False, separators=(",", ":")) + "\n"


def from_journal(text: str, *, source: str) -> Results:
    """The Results of a journal; without its last line, if that was cut off. Raises UsageError."""
    head, *lines = text.splitlines(keepends=True)
    results = _read(_JOURNAL, head, f"line 1 of {source}")
    if results.suite is None or len(results.suite.parts) != 1:
        raise _refused(source, "its first line has no part of a suite")
    part, after_s = results.suite.parts[0], results.duration_s
    finished, uncollected, exit_code = [], [], part.exit_code
    for number, line in enumerate(lines, start=2):
        if not line.endswith("\n"):
            break
        place = f"line {number} of {source}"
        entry = _structured(_parsed(line, place), JournalEntry, place)
        after_s = entry.after_s
        if entry.finished is not None:
            finished.append(entry.finished)
        if entry.uncollected is not None:
            uncollected.append(entry.uncollected)
        if entry.exit_code is not None:
            exit_code = entry.exit_code
    part = replace(
        part, finished=tuple(finished), uncollected=tuple(uncollected), exit_code=exit_code
    )
    return replace(results, duration_s=after_s, suite=replace(results.suite, parts=(part,)))


def _line(form: str, results: Results) -> str:
    document = {"format": form, "schema_version": SCHEMA_VERSION}
    document |= _converter().unstructure(results, unstructure_as=Results)
    # ASCII keeps what no UTF-8 can: lone surrogates in a header that a server sent.
    return json.dumps(document, allow_nan=False, separators=(",", ":")) + "\n"


def _head(form: str) -> str:
    """How a line begins."""
    return json.dumps({"format": form}, separators=(",", ":")).removesuffix("}")


def _read(form: str, text: str, source: str) -> Results:
    document = _parsed(text, source)
    if not isinstance(document, dict) or document.pop("format", None) != form:
        raise _refused(source, f'it does not say "format": "{form}"')
    version = document.pop("schema_version", None)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise UsageError(
            f"{source} has results of schema version {version}, and this Withstand reads "
            f"only up to {SCHEMA_VERSION}",
            hint="read it with the newer Withstand that wrote it, or update this one",
        )
    if version is not SCHEMA_VERSION:
        raise _refused(source, f"its schema_version is {version!r}, not {SCHEMA_VERSION}")
    return _structured(document, Results, source)


def _parsed(text: str, source: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _refused(source, f"it is no JSON ({error})") from None


def _structured(document: object, kind: type[T], source: str) -> T:
    try:
        return _converter().structure(document, kind)
    except cattrs.BaseValidationError as error:
        faults = cattrs.transform_error(error, path="$", format_exception=_fault)
        raise _refused(source, faults[0].replace(" @ ", " at ")) from None


def _refused(source: str, why: str) -> UsageError:
    return UsageError(
        f"{source} is no Withstand results file: {why}",
        hint=_HINT,
    )


@cache
def _converter() -> cattrs.Converter:
    converter = new_converter()
    converter.register_unstructure_hook(bytes, _stored_body)
    converter.register_structure_hook(bytes, lambda value, _: _body(value))
    return converter


def _fault(error: BaseException, kind: type | None) -> str:
    if isinstance(error, KeyError):
        return "something is missing"
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        return f"unknown fields ({', '.join(sorted(error.extra_fields))})"
    return str(error) or f"expected {kind.__name__ if kind else 'something else'}"


def _stored_body(body: bytes) -> str | dict[str, str]:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}


def _body(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, dict) and set(value) == {"base64"}:
        return base64.b64decode(only(str, value["base64"]), validate=True)
    raise ValueError("a body is text or base64")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
