"""How long the refusal of a wrong password takes tells who has an account."""

from dataclasses import dataclass, field
from statistics import median

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import LoginRecipe
from withstand.client.login_fields import aliased
from withstand.openapi.request_builder import Unbuildable
from withstand.scan.access.accounts import new_password, sign_up_operation, sign_up_request
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Inconclusive,
    Outcome,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    send,
    shown,
)
from withstand.scan.examples import answer, body, late, operation, sent
from withstand.scan.finding import Evidence, Severity
from withstand.scan.probes.guessing import unfit
from withstand.scan.probes.logins import Login, logins
from withstand.scan.probes.strangers import login_request, stranger_like, with_password
from withstand.scan.probes.telling_apart import Asked, asked, told_apart
from withstand.scan.subject import Subject

_PAIRS = 5  # enough where every refusal of the user is far from every one of the stranger
_CLOSE_PAIRS = 8  # where only the middles are: so apart by chance in 1 of C(16, 8) = 12,870 runs
_BAD_PAIRS = 1  # one request may be late by chance
_BAD_TIMES = 2.0  # a pair in which one does not even take twice as long as the other
_TIMES = 3.0
_GAP_NS = 50_000_000
_CLOSE_GAP_NS = 20_000_000  # what a cheap hash takes on a quick machine


@dataclass(slots=True, kw_only=True)
class _Times:
    """Refusals of a known user and of a stranger, pair by pair."""

    known: list[Exchange] = field(default_factory=list)
    stranger: list[Exchange] = field(default_factory=list)

    @property
    def tell_plainly(self) -> bool:
        """Whether the fastest of one takes three times as long as the slowest of the other."""
        fastest, slowest = self._nearest_ns
        return _far_apart(fastest, slowest, _TIMES, _GAP_NS)

    @property
    def tell(self) -> bool:
        """Whether the middle of one does so, and no two overlap: on a busy machine any may be late,
        but not that many in the right order.
        """
        fastest, slowest = self._nearest_ns
        known, stranger = (
            median(_took_ns(exchange) for exchange in exchanges)
            for exchanges in (self.known, self.stranger)
        )
        return fastest > slowest and _far_apart(known, stranger, _TIMES, _CLOSE_GAP_NS)

    @property
    def _nearest_ns(self) -> tuple[int, int]:
        return min(map(_took_ns, self.known)), max(map(_took_ns, self.stranger))


def applies(subject: Subject) -> Skipped | None:
    if not logins(subject):
        return Skipped(reason="no operation by which one logs in is known: [login] would name it")
    sign_up = sign_up_operation(subject.api, subject.builder)
    if sign_up is None or subject.policy.forbids(sign_up) is not None:
        return Skipped(
            reason="nobody can sign up, and so many wrong passwords might lock an identity out"
        )
    return None


def run(subject: Subject) -> Steps[Outcome]:
    slow: list[str] = []
    evidence: list[Evidence] = []
    problems: list[str] = []
    even = False
    for login in logins(subject):
        try:
            got = yield from _timed(subject, login)
        except (Unbuildable, KeyError) as problem:
            got = f"no login can be tried: {problem}"
        if isinstance(got, str):
            problems.append(f"{login.key}: {got}")
        elif got is None:
            even = True
        else:
            fastest = min(got.known, key=_took_ns)
            slowest = max(got.stranger, key=_took_ns)
            slow.append(
                f"{login.key} refuses a user who exists after {_ms(fastest)} ms or more, one who "
                f"does not after {_ms(slowest)} ms or less"
            )
            evidence += [
                shown(f"The fastest of {len(got.known)} refusals: {_ms(fastest)} ms", fastest),
                shown(f"The slowest for a stranger: {_ms(slowest)} ms", slowest),
            ]
    if slow:
        return Failed(
            detail="; ".join(slow) + ".",
            evidence=tuple(evidence),
            operations=tuple(text.partition(" refuses")[0] for text in slow),
        )
    return PASSED if even else Inconclusive(reason="; ".join(problems))


def _timed(subject: Subject, login: Login) -> Steps[_Times | str | None]:
    """The pairs that tell, None where they do not, or why that is unknown.

    Raises Unbuildable and KeyError. The stranger is one and the same, so that a delay that grows
    with each failure for a name grows for both.
    """
    fields = yield from _newcomer(subject)
    if isinstance(fields, str):
        return fields
    stranger = stranger_like(fields, subject.nonce())
    if stranger == fields:
        return "nothing in the request names the user"
    times = _Times()
    strangers: list[Asked] = []
    bad = 0
    for number in range(_CLOSE_PAIRS + _BAD_PAIRS):
        pair: dict[bool, Exchange] = {}
        for known in (True, False) if number % 2 else (False, True):
            who = fields if known else stranger
            wrong = with_password(who, f"Wrong-{subject.nonce()[2:14]}-1")
            pair[known] = yield from send(login_request(subject, login, wrong))
        problem = unfit(subject, login, pair[True])
        if problem is not None:
            return problem
        strangers.append(asked(pair[False], stranger))
        differ = pair[True].status != pair[False].status
        if len(strangers) > 1:  # one alone does not show what changes by itself
            differ = told_apart(asked(pair[True], fields), tuple(strangers)) is not None
        if differ:
            return "the answers differ already: see user-enumeration, or a limit has set in"
        if not _far_apart(_took_ns(pair[True]), _took_ns(pair[False]), _BAD_TIMES, _CLOSE_GAP_NS):
            bad += 1
            if bad > _BAD_PAIRS:
                return None
            continue
        times.known.append(pair[True])
        times.stranger.append(pair[False])
        if len(times.known) == _PAIRS and (times.tell_plainly or not times.tell):
            break
        if len(times.known) == _CLOSE_PAIRS:
            break
    return times if times.tell else None


def _newcomer(subject: Subject) -> Steps[dict[str, str] | str]:
    """The fields of somebody signed up for this alone, whose account may be locked."""
    sign_up = sign_up_operation(subject.api, subject.builder)
    assert sign_up is not None, "applies() saw to it"
    built, fields = sign_up_request(sign_up, subject.builder, new_password(subject.nonce()))
    exchange = yield from send(built.request)
    if not exchange.succeeded:
        return f"{sign_up.key} answered {exchange.status}, so there is nobody to ask about"
    known = dict(fields)
    for name, other in (("email", "username"), ("username", "email"), ("login", "username")):
        if name in known:
            known.setdefault(other, known[name])
    return known if subject.login is None else aliased(known, subject.login)


def _far_apart(known_ns: float, stranger_ns: float, times: float, gap_ns: int) -> bool:
    return known_ns > times * stranger_ns and known_ns - stranger_ns > gap_ns


def _took_ns(exchange: Exchange) -> int:
    return exchange.timing.service_time_ns


def _ms(exchange: Exchange) -> str:
    return f"{_took_ns(exchange) / 1_000_000:.0f}"


_LOGIN = LoginRecipe(
    method="POST",
    path="/login",
    payload={"email": "{email}", "password": "{password}"},
    token_path="$.token",  # noqa: S106 - a JSON path, no secret
)
_HASH_S = 0.2  # what a good password hash takes


def _server(*, hashes_in_vain: bool) -> Server:
    users: dict[str, str] = {}
    failures: dict[str, int] = {}

    def server(request: Request) -> Response:
        email, password = str(sent(request).get("email")), str(sent(request).get("password"))
        if request.path == "/users":
            users[email] = password
            return answer(201, {"email": email})
        if failures.get(email, 0) >= 20:
            return answer(429, {"error": "too many attempts"}, {"Retry-After": "60"})
        if users.get(email) == password:
            return answer(200, {"token": "alice-token"})
        failures[email] = failures.get(email, 0) + 1
        refusal = answer(401, {"error": "wrong e-mail or password"})
        return late(refusal, _HASH_S if email in users or hashes_in_vain else 0.001)

    return server


def vulnerable() -> Server:
    return _server(hashes_in_vain=False)


def safe() -> Server:
    return _server(hashes_in_vain=True)


_PERSON = body(email={"type": "string", "format": "email"}, password={"type": "string"})

CHECK = Check(
    name="user-enumeration-by-time",
    title="The time that a refusal takes tells who has an account",
    family="authentication",
    severity=Severity.MEDIUM,
    per=Per.API,
    safety=Safety.ABUSIVE,
    references=References(
        cwe=(208,), owasp=("API2:2023",), asvs=("6.3.8",), wstg=("WSTG-IDNT-04",)
    ),
    explanation=(
        "A good password hash takes a tenth of a second or more. A login that hashes only when it "
        "has found the user refuses strangers at once, and a stopwatch tells who is a customer. "
        "The check signs a user up and sends wrong passwords for that one and for a stranger in "
        "turns. It fails when in five pairs the fastest refusal of the user took three times as "
        "long as the slowest of the stranger, and 50 ms longer; or when in eight pairs every "
        "refusal of the user took longer than every one of the stranger, the middle one three "
        "times as long and 20 ms longer. It stops after the second pair that shows no such thing."
    ),
    remedy=(
        "Do the same work for a name that nobody has: verify the password against a fixed hash of "
        "the same kind and cost, throw the result away, and refuse in the same words."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/login": {"post": operation(secured=False, requestBody=_PERSON)},
            "/users": {"post": operation(secured=False, requestBody=_PERSON)},
        },
        vulnerable=vulnerable,
        safe=safe,
        login=_LOGIN,
    ),
)
