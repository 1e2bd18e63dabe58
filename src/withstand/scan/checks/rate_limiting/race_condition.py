"""Requests that arrive together do what each of them alone could not."""

from collections.abc import Mapping
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.identifiers import identifier_in
from withstand.openapi.naming import KEY_WORDS, canonical, words
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.openapi.resources import nouns_of, producer_of
from withstand.scan.answers.shape import leaves
from withstand.scan.check import (
    Burst,
    Check,
    Example,
    Failed,
    FailedMany,
    Inconclusive,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    SignUp,
    Skipped,
    Steps,
    not_applicable,
    send,
    shown,
)
from withstand.scan.examples import answer, body, caller, operation, sent
from withstand.scan.finding import Evidence, Severity
from withstand.scan.race import Race
from withstand.scan.seen import admits_failure
from withstand.scan.subject import Subject
from withstand.scan.wire.courier import is_noise

_SHOWN: Final = 3


class _Hindered(Exception):  # noqa: N818 - why a race cannot be run, told as inconclusive
    """The race cannot be run, and why."""


def applies(subject: Subject) -> Skipped | None:
    if subject.policy.races:
        return None
    return not_applicable(
        "no operation has an invariant under [security.races], for example "
        '"POST /coupons/{code}/redeem" = { at_most = 1 }'
    )


def run(subject: Subject) -> Steps[Outcome]:
    failures: list[Failed] = []
    notes: list[str] = []
    problems: list[str] = []
    for key, race in subject.policy.races.items():
        try:
            found = yield from _judge(subject, key, race)
        except (_Hindered, Unbuildable) as problem:
            problems.append(f"{key}: {problem}")
            continue
        if isinstance(found, Failed):
            failures.append(found)
        else:
            notes.append(f"{key}: {found}")
    if failures:
        return FailedMany(failures=tuple(failures))
    return Inconclusive(reason="; ".join(problems)) if problems else Passed(note="; ".join(notes))


def _judge(
    subject: Subject, key: str, race: Race, fresh: Identity | None = None
) -> Steps[Failed | str]:
    """One race: a failure, or the sentence that says what held.

    `fresh` is a user signed up for it, where others have used up what each may have once.
    """
    called = subject.api.operation(key)
    if called is None:
        raise _Hindered("the document has no such operation")
    if (forbidden := subject.policy.forbids(called)) is not None:
        raise _Hindered(f"it is not called: {forbidden}")
    sender = fresh or _sender(subject, called, race)
    request = yield from _prepared(subject, called, race, sender)
    before = yield from _read(subject, race, sender)
    if before is not None and not race.holds(before[0]):
        raise _Hindered(
            f"{race.value} is {before[0]:g} before anything is sent, which is not {race.bounds}"
        )
    exchanges: tuple[Exchange, ...] = yield Burst(requests=(request,) * race.requests)
    done = [exchange for exchange in exchanges if _took_effect(subject, exchange)]
    refused = all(e.response is not None and 400 <= e.response.status < 500 for e in exchanges)
    if not done and refused and race.identity is None and fresh is None:
        user: Identity | str = yield SignUp()
        if isinstance(user, Identity):
            return (yield from _judge(subject, key, race, user))
    if not done:
        told = ", ".join(dict.fromkeys(str(e.status or e.outcome) for e in exchanges))
        raise _Hindered(f"none of {len(exchanges)} requests succeeded ({told})")
    what = f"Of {len(exchanges)} requests that arrived together, {len(done)} succeeded"
    evidence = [shown(f"Success number {n}", each) for n, each in enumerate(done[:_SHOWN], 1)]
    if race.at_most is not None and len(done) > race.at_most:
        return _failed(key, f"{what}, and {race.at_most} may.", evidence)
    after = yield from _read(subject, race, sender)
    if after is not None and not race.holds(after[0]):
        detail = f"{what}; afterwards {race.value} is {after[0]:g}, which is not {race.bounds}."
        return _failed(key, detail, [shown("Read back afterwards", after[1]), *evidence])
    if 2 * sum(map(is_noise, exchanges)) > len(exchanges):
        raise _Hindered("most of the requests got no usable answer")
    return f"{len(done)} of {len(exchanges)} succeeded"


def _failed(key: str, detail: str, evidence: list[Evidence]) -> Failed:
    return Failed(detail=detail, evidence=tuple(evidence), operations=(key,), parameter=key)


def _took_effect(subject: Subject, exchange: Exchange) -> bool:
    response = exchange.response
    if response is None or not response.succeeded:
        return False
    return not admits_failure(response) and not subject.refused(response)


def _sender(subject: Subject, called: Operation, race: Race) -> Identity | None:
    if race.identity is not None:
        return _known(subject, race.identity)
    baseline = subject.baselines.get(called.key)
    if baseline is not None:
        return subject.identity(baseline.identity) if baseline.identity is not None else None
    return subject.identities[0] if subject.identities else None


def _known(subject: Subject, name: str) -> Identity:
    try:
        return subject.identity(name)
    except KeyError:
        raise _Hindered(f"there is no identity named {name!r}") from None


def _prepared(
    subject: Subject, called: Operation, race: Race, sender: Identity | None
) -> Steps[Request]:
    """The request of the race, about a thing that was made for it where an operation makes one."""
    slots = subject.builder.slots(called)
    fixed = {slot: race.values[slot.name] for slot in slots if slot.name in race.values}
    unknown = set(race.values) - {slot.name for slot in slots}
    if unknown:
        raise _Hindered(f"it has no input named {', '.join(sorted(unknown))}")
    missing = [slot for slot in slots if slot.location == "path" and slot not in fixed]
    maker = producer_of(subject.api, called) if missing else None
    if race.prepare is not None:
        maker = subject.api.operation(race.prepare)
        if maker is None:
            raise _Hindered(f"the document has no operation {race.prepare}")
    if maker is not None:
        by = _known(subject, race.prepare_as) if race.prepare_as is not None else sender
        told = () if race.prepare is None else (s for s in slots if s.location != "path")
        wanted = [slot for slot in told if slot not in fixed and _names_a_thing(slot)]
        fixed |= yield from _made(subject, maker, by, missing, wanted)
    built = subject.build(called, identity=sender, replace=fixed)
    return sender.authorize(built.request) if sender is not None else built.request


def _made(
    subject: Subject, maker: Operation, by: Identity | None, missing: list[Slot], wanted: list[Slot]
) -> Steps[Mapping[Slot, object]]:
    """The values that the maker's answer gives: for the path, and for what else has their name."""
    if (forbidden := subject.policy.forbids(maker)) is not None:
        raise _Hindered(f"{maker.key} is not called: {forbidden}")
    built = subject.build(maker, identity=by)
    exchange = yield from send(by.authorize(built.request) if by is not None else built.request)
    response = exchange.response
    if response is None or not response.succeeded or admits_failure(response):
        raise _Hindered(f"{maker.key}, which makes what it is about, answered {exchange.status}")
    known = {canonical(name): value for name, value in reversed([*leaves(response.json())])}
    given = {slot: known[name] for slot in wanted if (name := canonical(slot.name)) in known}
    if not missing:
        return given
    found = identifier_in(response.json(), missing[-1].name, about=nouns_of(maker))
    if found is None:
        raise _Hindered(f"{maker.key} answered without a {missing[-1].name}")
    return {**given, missing[-1]: found}


def _names_a_thing(slot: Slot) -> bool:
    return words(slot.name)[-1] in KEY_WORDS


def _read(
    subject: Subject, race: Race, sender: Identity | None
) -> Steps[tuple[float, Exchange] | None]:
    """The number that must hold and where it was read; None where the race has none."""
    if race.read is None:
        return None
    reader = subject.api.operation(race.read)
    if reader is None:
        raise _Hindered(f"the document has no operation {race.read}")
    built = subject.build(reader, identity=sender)
    request = sender.authorize(built.request) if sender is not None else built.request
    exchange = yield from send(request)
    response = exchange.response
    number = race.number_in(response.json()) if response is not None else None
    if number is None or not exchange.succeeded:
        raise _Hindered(f"{race.read} answered {exchange.status} without a number at {race.value}")
    return number, exchange


def _server(once: bool) -> Server:
    used: set[str] = set()
    made: list[str] = []

    def server(request: Request) -> Response:
        if caller(request) is None:
            return answer(401, {"error": "log in first"})
        if request.path == "/coupons":
            made.append(f"C-{len(made) + 1}")
            return answer(201, {"code": made[-1], "percent": sent(request).get("percent")})
        code = request.path.removeprefix("/coupons/").removesuffix("/redeem")
        if code not in made:
            return answer(404, {"error": "there is no such coupon"})
        if once and code in used:
            return answer(409, {"error": "this coupon has been used"})
        used.add(code)
        return answer(200, {"code": code, "redeemed": True})

    return server


def vulnerable() -> Server:
    return _server(once=False)


def safe() -> Server:
    return _server(once=True)


CHECK = Check(
    name="race-condition",
    title="Requests that arrive together do what one alone could not",
    family="rate limiting",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.ABUSIVE,
    proves_at_once=True,
    references=References(
        cwe=(362, 367), owasp=("API6:2023",), asvs=("2.3.4", "15.4.2"), wstg=("WSTG-BUSL-04",)
    ),
    explanation=(
        "An operation looks whether something is allowed and then does it, and between the two "
        "there is room for others: a coupon is redeemed several times, an account overdrawn. Only "
        "you know what must hold, so this runs for the operations under `[security.races]`. The "
        "check releases ten requests at one instant, each on a connection of its own, counts those "
        "that succeed, and reads back the number that you named. A breach is proof by itself and "
        "is not repeated, since what it used up is gone. It runs only with the abuse profile or "
        "against a loopback address."
    ),
    remedy=(
        "Let the database decide in one statement: an update whose condition names the old state, "
        "a unique constraint, or a row that is locked before it is read. A check in the "
        "application's memory does not hold with a second process."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/coupons": {"post": operation(requestBody=body(percent={"type": "integer"}))},
            "/coupons/{code}/redeem": {"post": operation(parameters=(("path", "code"),))},
        },
        vulnerable=vulnerable,
        safe=safe,
        policy={"races": {"POST /coupons/{code}/redeem": Race(at_most=1)}},
    ),
)
