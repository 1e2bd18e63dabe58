"""Every exception Withstand raises on purpose, grouped by who has to act.

WithstandError
├── UsageError             the caller: fix the command line or the file, exit 2
│   └── ConfigurationError   several problems of one configuration, all at once
└── RunVoid                the run says nothing about the API, exit 3
    ├── TargetUnreachable    nothing answers at the base URL
    ├── IdentityBroken       an identity cannot log in, or stopped working during the run
    └── GeneratorSaturated   the load generator, not the API, was the bottleneck

Expected failures of a request (refused, timed out, reset …) are no exceptions but values:
see `withstand.client.exchange.Failure`.
"""

from typing import ClassVar


class WithstandError(Exception):
    """A problem with a remedy: `message` says what and where, `hint` what to do next."""

    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.hint}" if self.hint else self.message


class UsageError(WithstandError):
    """The command line, a document or a file is not what it should be."""

    exit_code = 2


class ConfigurationError(UsageError):
    """One or more problems of a configuration, each named with its path."""

    def __init__(self, source: str, problems: tuple[str, ...], *, hint: str | None = None) -> None:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{source} has {_count(len(problems), 'problem')}:\n{lines}", hint=hint)
        self.source = source
        self.problems = problems
        self.args = (source, problems)  # what makes it again in another process


class RunVoid(WithstandError):  # noqa: N818 - it tells of a run, like StopIteration of an end
    """The run cannot judge the API: neither passed nor failed."""

    exit_code = 3


class TargetUnreachable(RunVoid):
    """Nothing answers at the target's base URL."""


class IdentityBroken(RunVoid):
    """An identity cannot log in, or its credential stopped working during the run."""


class GeneratorSaturated(RunVoid):
    """The load generator could not send what was asked of it, so its latencies are its own."""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
