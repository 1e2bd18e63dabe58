"""Another spelling of a path gets past the check of who may use it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.path_template import segments
from withstand.scan.access.guarded import guarded_reads
from withstand.scan.answers.shape import tells
from withstand.scan.answers.similarity import same_content
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Inconclusive,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    attack,
    not_applicable,
    send,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, not_found, operation
from withstand.scan.finding import Severity
from withstand.scan.subject import Baseline, Subject

_MOST_PLACES: Final = 8
"""Places tried: paths below one prefix are usually behind one guard."""
_ANONYMOUS: Final = 3
"""Of those, also without a credential: the rule that wants one is usually the whole API's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    """An operation that refuses somebody. `intruder` None: whoever has no credential."""

    baseline: Baseline
    intruder: Identity | None
    refusal: Exchange


def applies(subject: Subject) -> Skipped | None:
    if not _representatives(subject):
        return not_applicable("no GET needed a credential, so there is no guard to get past")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    doors, unclear = 0, ""
    for place, baseline in enumerate(_representatives(subject)):
        for door in (yield from _doors(subject, baseline, also_anonymous=place < _ANONYMOUS)):
            doors += 1
            opened = yield from _try(subject, door)
            if isinstance(opened, Failed):
                return opened
            unclear = unclear or opened
    if not doors:
        return Passed(note="nobody was refused, so there is no guard to get past")
    return Inconclusive(reason=unclear) if unclear else PASSED


def variants(path: str, public: str | None = None) -> Iterator[tuple[str, str]]:
    """Other spellings of a path, without its query, and what each does.

    A guard compares text; what routes the request normalises it first, or the other way round.
    `public` is a first segment that anybody may use.
    """
    *before, last = path.split("/")
    head = "/".join(before)
    if not last:
        return
    yield "a slash behind it", f"{path}/"
    yield "a doubled slash", f"/{path}"
    yield "a doubled slash inside", f"{head}//{last}"
    yield "a dot segment", f"{head}/./{last}"
    yield "a dot segment behind it", f"{path}/."
    yield "a segment that is taken back", f"{head}/x/../{last}"
    yield "letters as %xx", _each(path, lambda part: f"%{ord(part[0]):02x}{part[1:]}")
    yield "an encoded dot segment", f"{head}/%2e/{last}"
    yield "capitals", _each(path, lambda part: part[:1].swapcase() + part[1:])
    if len(before) > 1:
        yield "a capital in front", _each(path, lambda part: part[:1].swapcase() + part[1:], most=1)
    yield "a parameter behind ;", f"{path};x=1"
    yield "a parameter behind ; before it", f"{head};/{last}"
    yield "an extension", f"{path}.json"
    yield "an encoded space behind it", f"{path}%20"
    if public is not None:
        yield "a way through a public path", f"/{public}/..{path}"


def _each(path: str, change: Callable[[str], str], *, most: int = 99) -> str:
    """The path with each segment that is no number changed, the first ones only where asked."""
    parts = []
    for part in path.split("/"):
        wanted = most > 0 and part[:1].isascii() and part[:1].isalpha()
        parts.append(change(part) if wanted else part)
        most -= wanted
    return "/".join(parts)


def _representatives(subject: Subject) -> tuple[Baseline, ...]:
    """One guarded read for each first segment of the paths, those for few roles before."""
    found: dict[str, Baseline] = {}
    common = _common_prefix(subject)
    reads = sorted(guarded_reads(subject), key=lambda b: (_rank(subject, b), len(b.operation.path)))
    for baseline in reads:
        own = segments(baseline.operation.path)[common:]
        found.setdefault(own[0] if own else "", baseline)
    return tuple(found.values())[:_MOST_PLACES]


def _rank(subject: Subject, baseline: Baseline) -> int:
    lowest = subject.identities[0].name if subject.identities else None
    limited = subject.policy.allowed_roles(baseline.operation) is not None
    return 0 if limited or baseline.identity != lowest else 1


def _common_prefix(subject: Subject) -> int:
    """How many segments all paths begin with: `/api/v1`."""
    paths = [segments(op.path) for op in subject.api.operations]
    shared = 0
    while all(len(p) > shared + 1 and p[shared] == paths[0][shared] for p in paths):
        shared += 1
    return shared


def _doors(
    subject: Subject, baseline: Baseline, *, also_anonymous: bool
) -> Steps[tuple[_Door, ...]]:
    """Who is refused: somebody without a credential, and one of another role."""
    found = []
    bare = subject.stripped(baseline.exchange.request)
    owner = subject.identity(baseline.identity or "")
    others = [i for i in subject.identities if i.role != owner.role and i.credential is not None]
    nobody: tuple[Identity | None, ...] = (None,) if also_anonymous else ()
    for intruder in (*nobody, *others[:1]):
        request = intruder.authorize(bare) if intruder else bare
        refusal = yield from send(request)
        if _is_shut(subject, refusal):
            found.append(_Door(baseline=baseline, intruder=intruder, refusal=refusal))
    return tuple(found)


def _is_shut(subject: Subject, exchange: Exchange) -> bool:
    """401, 403, or a refusal in a 2xx."""
    response = exchange.response
    soft = response is not None and response.succeeded and subject.refused(response)
    return soft or exchange.status in {401, 403}


def _try(subject: Subject, door: _Door) -> Steps[Failed | str]:
    """The variants, until one gets in; empty when none does, else why that cannot be told."""
    bare = subject.stripped(door.baseline.exchange.request)
    path, mark, rest = bare.path.partition("?")
    base = subject.target.base_path
    below = path.removeprefix(base)
    for what, variant in variants(below, _public(subject)):
        request = replace(bare, path=base + variant + mark + rest)
        tried = yield from send(door.intruder.authorize(request) if door.intruder else request)
        if tried.response is None or not tried.succeeded or subject.refused(tried.response):
            continue
        owner = subject.identity(door.baseline.identity or "")
        control = yield from send(owner.authorize(bare))
        if control.response is None or not control.succeeded:
            return f"the authorised request now gets {control.status}"
        if not _same(door.baseline, control.response, tried.response):
            continue
        again = yield from send(door.intruder.authorize(bare) if door.intruder else bare)
        nowhere = yield from _elsewhere(subject, door, request)
        if not _is_shut(subject, again) or _same(door.baseline, control.response, nowhere):
            continue
        who = f"the role {door.intruder.role}" if door.intruder else "nobody's credential"
        return Failed(
            detail=f"{door.baseline.operation.key} refuses {who} with {again.status}, but not when "
            f"its path is spelled with {what} ({variant}).",
            evidence=(
                shown("As the document spells it, it is refused", again),
                attack(f"Spelled with {what}, it is served", tried),
                shown("For comparison, what an authorised identity gets", control),
            ),
            operations=(door.baseline.operation.key,),
        )
    return ""


def _public(subject: Subject) -> str | None:
    """The first segment of a path that anybody may read."""
    reads = (b.operation for b in subject.baselines.values() if b.identity is None)
    paths = (segments(op.path) for op in reads if op.method == "GET")
    return next((path[0] for path in paths if path and "{" not in path[0]), None)


def _elsewhere(subject: Subject, door: _Door, like: Request) -> Steps[Response]:
    """What a path that does not exist answers the same caller: it must be something else."""
    request = replace(like, path=f"{subject.target.base_path}/{subject.nonce()}")
    exchange = yield from send(door.intruder.authorize(request) if door.intruder else request)
    return exchange.response or Response(status=404)


def _same(baseline: Baseline, expected: Response, other: Response) -> bool:
    """Whether somebody got what the authorised identity gets, as far as it does not change."""
    if not other.succeeded or not tells(expected):
        return False
    return same_content(expected, other, repeat_of_one=baseline.exchange.response)


def _server(normalises_first: bool) -> Server:
    """The guard compares text; the router forgives a slash too many, and capitals."""

    def server(request: Request) -> Response:
        name = caller(request)
        asked = request.operation_path
        routed = "/" + "/".join(part for part in asked.lower().split("/") if part not in {"", "."})
        guarded = routed if normalises_first else asked
        if name is None:
            return UNAUTHENTICATED
        if guarded.startswith("/admin") and name != "root":
            return answer(403, {"error": "for administrators"})
        if routed == "/admin/figures":
            return answer(200, {"figures": [{"month": "May", "income": 1200}]})
        return answer(200, {"name": name}) if routed == "/me" else not_found()

    return server


def vulnerable() -> Server:
    return _server(normalises_first=False)


def safe() -> Server:
    return _server(normalises_first=True)


CHECK = Check(
    name="path-variant-bypasses-access",
    title="Another spelling of a path gets past the access check",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(647, 288), owasp=("API5:2023", "API8:2023"), asvs=("8.2.1",), wstg=("WSTG-ATHZ-02",)
    ),
    explanation=(
        "Who may use a path is decided by comparing its text, in a proxy, a gateway or a "
        "middleware, and what serves the request reads that text more generously: a doubled "
        "slash, a dot segment, capitals, an encoded letter or a `;` lead to the same operation "
        "and past the rule. The check takes paths that refuse a caller, sends other spellings of "
        "them as the same caller, and reports one that answers with what an authorised identity "
        "gets."
    ),
    remedy=(
        "Decide where the request has been routed: a guard on the operation, not on the text of "
        "the path. Where a proxy has to decide, let it normalise paths or refuse those that are "
        "not normal, and deny by default."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={"/me": {"get": operation()}, "/admin/figures": {"get": operation()}},
        vulnerable=vulnerable,
        safe=safe,
        policy={"access": {"GET /admin/figures": ("admin",)}},
    ),
)
