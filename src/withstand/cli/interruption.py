"""Ctrl-C before a scan listens to it itself: the report says so, and that nothing was tested."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from withstand.cli.options import Outputs
from withstand.cli.output import publish
from withstand.cli.typed import typed_command
from withstand.client.target import Target
from withstand.settings import Settings
from withstand.workflows import Occasion, interrupted_before


@contextmanager
def kept_if_interrupted(settings: Settings, target: Target, outputs: Outputs) -> Iterator[None]:
    """While the document is read. Raises Exit with the exit code of an interruption."""
    started_at = time.time()
    try:
        yield
    except KeyboardInterrupt:
        occasion = Occasion(command=typed_command(), config=settings.source)
        results = interrupted_before(target, occasion, started_at, "the document was read")
        raise click.exceptions.Exit(publish(results, outputs)) from None
