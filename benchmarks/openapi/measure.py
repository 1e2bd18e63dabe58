"""One document: how many of its body schemas get a valid value, and how long that takes."""

import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.openapi.corpus import Found
from benchmarks.openapi.judge import Judge

from withstand.errors import UsageError
from withstand.openapi.body_encoding import best_body
from withstand.openapi.document import read_document
from withstand.openapi.document_text import read_mapping
from withstand.openapi.example_value import ExampleValues
from withstand.openapi.operation import Api, RequestBody, Schema
from withstand.openapi.plausible_number import NoValueError
from withstand.openapi.plausible_text import Marks

_BUILDS = 5
_LONGEST_S = 5.0  # for the judge, whose matcher some patterns keep busy for ever
UNJUDGED = "unjudged"


class _TooLongError(Exception):
    """The judge needs too long."""


def _too_long(*_: object) -> None:
    raise _TooLongError


signal.signal(signal.SIGALRM, _too_long)


@dataclass(slots=True, kw_only=True)
class Measured:
    """The figures of one document. `times_ns` has the median of five builds for each schema."""

    package: str
    name: str
    operations: int = 0
    schemas: int = 0
    valid: int = 0
    unjudged: int = 0
    read_ns: int = 0
    times_ns: list[int] = field(default_factory=list)
    refused: str = ""
    problems: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)


def measured(found: Found) -> Measured:
    """Reads the document and builds a full body for each distinct body schema in it."""
    result = Measured(package=found.package, name=found.name)
    began_ns = time.perf_counter_ns()
    try:
        api = read_document(found.data, source=found.name)
    except UsageError as error:
        result.refused = str(error).splitlines()[0]
        return result
    result.read_ns = time.perf_counter_ns() - began_ns
    result.operations = len(api.operations)
    document, _ = read_mapping(found.data, source=found.name)
    judge = Judge(document, api.resolve)
    for key, body in _bodies(api):
        result.schemas += 1
        problem = _problem(api, body, judge, result.times_ns)
        if problem.startswith(UNJUDGED):
            result.unjudged += 1
        elif problem:
            result.problems[problem.split(":", 1)[0]] += 1
            result.examples.append(f"{key}: {problem}")
        else:
            result.valid += 1
    return result


def _problem(api: Api, body: RequestBody, judge: Judge, times_ns: list[int]) -> str:
    hints = () if body.example is None else (body.example,)
    try:
        value = _built(api, body.schema, hints)  # the first build fills what is kept
        times_ns.append(_time_ns(api, body.schema, hints))
    except NoValueError as error:
        return f"no value: {error}"
    try:
        signal.setitimer(signal.ITIMER_REAL, _LONGEST_S)
        return judge.problem(value, body.schema)
    except Exception as error:  # a schema or a pattern that the judge cannot read
        return f"{UNJUDGED}: {type(error).__name__}: {str(error)[:120]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _time_ns(api: Api, schema: Schema, hints: tuple[object, ...]) -> int:
    """Processor time of this thread, the median of five: what else runs does not count."""
    times = []
    for _ in range(_BUILDS):
        began_ns = time.thread_time_ns()
        _built(api, schema, hints)
        times.append(time.thread_time_ns() - began_ns)
    return int(median(times))


def timed(found: Found) -> list[int]:
    """Nanoseconds to build each body of a document again, without judging any."""
    times_ns = []
    try:
        api = read_document(found.data, source=found.name)
    except UsageError:
        return []
    for _, body in _bodies(api):
        hints = () if body.example is None else (body.example,)
        try:
            _built(api, body.schema, hints)
            times_ns.append(_time_ns(api, body.schema, hints))
        except NoValueError:
            continue
    return times_ns


def _built(api: Api, schema: Schema, hints: tuple[object, ...]) -> Any:
    return ExampleValues(api.resolve, Marks("ws0123456789abcdef01234567")).value(
        schema, hints=hints
    )


def _bodies(api: Api) -> Iterator[tuple[str, RequestBody]]:
    known: set[int | str] = set()
    for operation in api.operations:
        body = best_body(operation.bodies)
        if body is None or not body.schema:
            continue
        mark: int | str = _mark(body.schema)
        if mark not in known:
            known.add(mark)
            yield operation.key, body


def _mark(schema: Mapping[str, Any]) -> int | str:
    reference = schema.get("$ref")
    return reference if isinstance(reference, str) and len(schema) == 1 else id(schema)
