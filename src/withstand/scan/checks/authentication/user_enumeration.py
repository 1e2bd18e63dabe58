"""The answers to wrong passwords, or to forgotten ones, tell who has an account."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Credential, Identity
from withstand.client.soft_errors import says_no
from withstand.openapi.request_builder import Unbuildable
from withstand.scan.check import (
    Check,
    Example,
    Failed,
    Inconclusive,
    LogIn,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    send,
    shown,
)
from withstand.scan.examples import answer, body, operation, sent
from withstand.scan.finding import Evidence, Severity
from withstand.scan.probes.guessing import guarded, unfit
from withstand.scan.probes.logins import Login, logins
from withstand.scan.probes.strangers import (
    known_user,
    login_request,
    reset_operations,
    reset_request,
    stranger_like,
    with_password,
)
from withstand.scan.probes.telling_apart import Asked, asked, told_apart
from withstand.scan.subject import Subject

_STRANGERS = 3

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What can be asked about a user: where, the request for a user's fields, and whether an answer
    shows that it was not understood as such.
    """

    key: str
    request: Callable[[Fields], Request]
    unfit: Callable[[Exchange], str | None]
    login: Login | None = None


def applies(subject: Subject) -> Skipped | None:
    if known_user(subject) is None:
        return Skipped(reason="no identity is configured whose name the API knows")
    if not any(_questions(subject)):
        return Skipped(
            reason="no operation is known by which one logs in ([login] would name it) or asks "
            "for help with a forgotten password"
        )
    return None


def run(subject: Subject) -> Steps[Outcome]:
    user = known_user(subject)
    assert user is not None, "applies() saw to it"
    telling: list[str] = []
    details: list[str] = []
    evidence: list[Evidence] = []
    problems: list[str] = []
    same: list[str] = []
    for question in _questions(subject):
        try:
            got = yield from _ask(subject, question, user)
        except (Unbuildable, KeyError) as problem:
            problems.append(f"{question.key} cannot be asked: {problem}")
            continue
        if isinstance(got, str):
            problems.append(f"{question.key}: {got}")
        elif got is None:
            same.append(question.key)
        else:
            by, known, stranger = got
            telling.append(question.key)
            details.append(f"{question.key}: {by}")
            evidence += [
                shown("About a user who exists", known.exchange),
                shown("About one who does not", stranger.exchange),
            ]
    if telling:
        return Failed(
            detail="The answer about a user who exists differs from that about three who do not: "
            + "; ".join(details)
            + ".",
            evidence=tuple(evidence),
            operations=tuple(telling),
        )
    if same:
        return Passed(note="; ".join((f"the same answers by {', '.join(same)}", *problems)))
    return Inconclusive(reason="; ".join(problems))


def _questions(subject: Subject) -> Iterator[Question]:
    """Logins; with a throw-away user also help with passwords, which may change one at once.

    A real identity is asked about by one login only, so that nobody is locked out.
    """
    found = logins(subject) if subject.throwaway is not None else logins(subject)[:1]
    for login in found:
        yield Question(
            key=login.key,
            request=partial(login_request, subject, login),
            unfit=partial(unfit, subject, login),
            login=login,
        )
    if subject.throwaway is None:
        return
    for wanted in reset_operations(subject):
        yield Question(
            key=wanted.key,
            request=partial(reset_request, subject, wanted),
            unfit=_unfit_for_reset,
        )


def _unfit_for_reset(exchange: Exchange) -> str | None:
    if exchange.succeeded:
        return None
    return f"a user who exists is answered with {exchange.status}"


def _ask(
    subject: Subject, question: Question, user: Identity
) -> Steps[tuple[str, Asked, Asked] | str | None]:
    """By what the answers differ, with one of each; None where they do not; or why that is unknown.

    Raises Unbuildable and KeyError. An API that tells nothing is asked about its user just once.
    """
    fields = user.fields
    known = yield from _asked(subject, question, fields)
    response = known.exchange.response
    if question.login is not None and response is not None:
        # Without the token against forged requests every attempt is refused unread, and alike.
        guard = yield from guarded(subject, question.login, response)
        if guard is not None:
            ask = partial(login_request, subject, question.login, guard=guard)
            question = replace(question, request=ask)
            known = yield from _asked(subject, question, fields)
            response = known.exchange.response
    if response is None or response.status >= 500 or response.status == 423:
        return f"it answered {known.exchange.status}"
    if response.succeeded and not says_no(response):
        problem = question.unfit(known.exchange)
        if problem is not None:
            return problem
    strangers: list[Asked] = []
    by: str | None = None
    for _ in range(_STRANGERS):
        stranger = stranger_like(fields, subject.nonce())
        if stranger == dict(fields):
            return "nothing in the request names the user"
        strangers.append((yield from _asked(subject, question, stranger)))
        by = told_apart(known, tuple(strangers))
        if by is None:
            return question.unfit(known.exchange)
    if by is None or any((s.exchange.status or 500) >= 500 for s in strangers):
        return "the answers about strangers are errors of the server"
    if subject.login is not None:
        # A lock that some other check brought about looks like a difference, too.
        credential: Credential | None = yield LogIn(identity=user.name, keep=True)
        if credential is None:
            return f"{user.name} cannot log in just now, so the account may be locked"
    if user.throwaway:
        repeated = yield from _asked(subject, question, fields)
        if told_apart(repeated, tuple(strangers)) is None:
            return "the difference did not show again"
    return by, known, strangers[-1]


def _asked(subject: Subject, question: Question, fields: Fields) -> Steps[Asked]:
    wrong = with_password(fields, f"Wrong-{subject.nonce()[2:14]}-1")
    exchange = yield from send(question.request(wrong))
    return asked(exchange, wrong)


_USERS = ("alice@example.com", "bob@example.com", "root@example.com")


def _server(*, tells: bool) -> Server:
    failures: dict[str, int] = {}

    def server(request: Request) -> Response:
        email = str(sent(request).get("email"))
        if failures.get(email, 0) >= 10:
            return answer(429, {"error": "too many attempts"}, {"Retry-After": "60"})
        failures[email] = failures.get(email, 0) + 1
        if tells and email not in _USERS:
            return answer(401, {"error": f"there is no account {email}", "tries": failures[email]})
        said = f"the password for {email} is wrong" if tells else f"{email} cannot log in so"
        return answer(401, {"error": said, "tries": failures[email]})

    return server


def vulnerable() -> Server:
    return _server(tells=True)


def safe() -> Server:
    return _server(tells=False)


CHECK = Check(
    name="user-enumeration",
    title="The answers tell who has an account",
    family="authentication",
    severity=Severity.MEDIUM,
    per=Per.API,
    safety=Safety.MUTATING,  # it counts as a failed login, and may send a mail
    references=References(
        cwe=(204, 203),
        owasp=("API2:2023",),
        asvs=("6.3.8",),
        wstg=("WSTG-IDNT-04",),
    ),
    explanation=(
        "A login that says “no such user” to strangers and “wrong password” to customers lets "
        "anybody find out who is a customer, and whose password is worth guessing. The check sends "
        "a wrong password for a user who exists and for three whose names have the same form, "
        "and asks for help with a forgotten password likewise if it has a user of its own. It "
        "compares status and text, without what it sent, times, ids and numbers. Sign-up is not "
        "judged: most APIs have to refuse a name that is taken."
    ),
    remedy=(
        "Answer both in the same words and with the same status, “wrong name or password”, and "
        "say “if there is such an account, we have written to it” to who forgot a password. Do "
        "the same work in both cases, so that the time does not tell either."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/login": {
                "post": operation(
                    secured=False,
                    requestBody=body(email={"type": "string"}, password={"type": "string"}),
                )
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
