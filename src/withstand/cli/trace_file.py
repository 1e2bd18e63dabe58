"""Where a trace goes: a file, or standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from withstand.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


def trace_option(function: F) -> F:
    """`--trace FILE`, as the parameter `trace_file`."""
    return click.option(
        "--trace",
        "trace_file",
        metavar="FILE",
        help="Write a line for each request: who, operation, status, time; and every try for an "
        "operation without a request that succeeds. - is standard error. Secrets are masked.",
    )(function)


@contextmanager
def traced(file: str | None) -> Iterator[Callable[[str], None] | None]:
    """The function that writes a line at once, so that it can be followed; None without a file."""
    if file is None:
        yield None
        return
    if file == "-":
        yield lambda line: click.echo(line, err=True)
        return
    try:
        stream = Path(file).open("w", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(
            f"the trace {file} cannot be written: {error.strerror}",
            hint="give a path in a directory that you may write to, or - for standard error",
        ) from None
    with stream:
        yield lambda line: print(line, file=stream)
