"""An examination as plain text for the terminal. Pure."""

from collections.abc import Iterator

from withstand.scan.groundwork.examination import Examination, Examined

_TRIES_SHOWN = 6


def doctor_lines(found: Examination) -> Iterator[str]:
    """The lines that `withstand doctor` prints."""
    yield f"{found.target}, by {found.document}: {found.requests} requests"
    yield ""
    yield from _people(found)
    yield ""
    yield from _operations(found)
    if found.readiness:
        yield ""
        yield from _checks(found)
    hints = (*(f"In the document, {problem}." for problem in found.problems), *found.notes)
    if hints:
        yield ""
        yield "Also"
        yield from (f"  {hint}" for hint in hints)
    if found.cut_short is not None:
        yield ""
        yield f"It ended early: {found.cut_short}."


def _people(found: Examination) -> Iterator[str]:
    yield "Identities"
    if not found.identities:
        yield "  none configured: only what an anonymous caller sees is tested"
        yield "  → add [login] and [identities] to withstand.toml: two of one role, one of a higher"
    for name, role, is_watched in found.identities:
        health = f"healthy by {found.canary}" if is_watched else "logged in; no canary tells on it"
        yield f"  ✓ {name} ({role}): {health}"
    if found.identities and found.canary is None:
        yield "  ✗ canary: no GET that succeeds tells a logged-in identity from an anonymous one"
        yield "  → declare one in the document, such as GET /me, with its `security`"
    if found.throwaway is None:
        yield "  ✓ throw-away users: the scan can sign up its own"
    else:
        yield f"  ✗ throw-away users: {found.throwaway}"


def _operations(found: Examination) -> Iterator[str]:
    works = [op for op in found.operations if op.works]
    forbidden = [op for op in found.operations if op.is_forbidden and not op.works]
    yield (
        f"Operations: {len(works)} of {len(found.operations)} have a request that succeeds"
        + (f", {len(forbidden)} are not called" if forbidden else "")
    )
    width = max((len(op.key) for op in found.operations), default=0)
    for op in found.operations:
        if op.works:
            yield f"  ✓ {op.key:<{width}}  {op.by}, {op.status}"
        elif op.is_forbidden:
            yield f"  - {op.key:<{width}}  {op.reason}"
        else:
            yield from _lacking(op, width)


def _lacking(op: Examined, width: int) -> Iterator[str]:
    where = f"line {op.line} of the document" if op.line is not None else ""
    yield f"  ✗ {op.key:<{width}}  {where}".rstrip()
    for line in op.tries[-_TRIES_SHOWN:]:
        yield f"      {line}"
    if not op.tries:
        yield f"      {op.reason}"
    for line in op.advice:
        yield f"    → {line}"


def _checks(found: Examination) -> Iterator[str]:
    able = [ready for ready in found.readiness if ready.able]
    unable = [ready for ready in found.readiness if not ready.able and ready.lacks]
    yield f"Checks: {len(able)} of {len(found.readiness)} have something to run on"
    by_reason: dict[str, list[str]] = {}
    for ready in unable:
        by_reason.setdefault("; ".join(ready.lacks[:2]), []).append(ready.check)
    for reason, names in by_reason.items():
        yield f"  ✗ {', '.join(names)}"
        yield f"      {reason}"
