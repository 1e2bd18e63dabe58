"""A credential keeps working after its owner has logged out."""

import itertools

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Credential, Identity, LoginRecipe
from withstand.client.soft_errors import says_no
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.scan.access.guarded import guarded_reads
from withstand.scan.access.signing_out import ended, logout_operations
from withstand.scan.answers.similarity import same_content
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Inconclusive,
    Outcome,
    Pause,
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
from withstand.scan.examples import UNAUTHENTICATED, answer, body, caller, operation, sent
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.second_session import kept, restored, same_credential, second_session
from withstand.scan.probes.tokens import issued_for_s
from withstand.scan.subject import Subject

_SHORT_LIVED_S = 900.0  # what is good for a quarter of an hour at most does little harm
_REFRESH_WAIT_S = 1.0  # a revocation may take a moment to reach every process


def applies(subject: Subject) -> Skipped | None:
    if not logout_operations(subject):
        return not_applicable("the document has no operation that logs out")
    if subject.login is None:
        return Skipped(reason="without [login] there is no session to spare for a logout")
    if not guarded_reads(subject):
        return Skipped(reason="no GET operation that needs a credential succeeded")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    got = yield from second_session(subject)
    if got is None:
        return Inconclusive(reason="nobody could be logged in a second time")
    who, spare = got
    assert who.credential is not None, "who was logged in twice has the first credential"
    if same_credential(spare, who.credential) and not who.throwaway:
        return Skipped(
            reason=f"a second login gives {who.name} the same credential, so a logout would spend "
            "it: only a throw-away user could be logged out, and nobody can sign up"
        )
    seen = yield from _working_read(subject, spare)
    if seen is None:
        return Inconclusive(reason="no operation tells a second session from none")
    read = seen[0]
    still = yield from send(who.authorize(read.request))
    if not still.succeeded and not who.throwaway:
        yield from kept(who, read)
        return Skipped(
            reason="a login ends the sessions before it, so there is none to spare for a logout"
        )
    outcome = yield from _log_out(subject, who, spare, seen)
    yield from restored(who, read)
    return outcome


def _log_out(
    subject: Subject, who: Identity, spare: Credential, seen: tuple[Exchange, Exchange]
) -> Steps[Outcome]:
    read = seen[0]
    reason = "no logout could be tried"
    for candidate in logout_operations(subject):
        request = _request(subject, candidate, who, spare)
        if isinstance(request, str):
            reason = f"{candidate.key}: {request}"
            continue
        done = yield from send(request)
        after = yield from send(read.request)
        if after.response is not None and not _works(seen, after):
            return PASSED
        response = done.response
        if response is None or not ended(response):
            reason = f"{candidate.key} answered {done.status}, so nobody is logged out"
            continue
        yield Pause(seconds=_REFRESH_WAIT_S)
        later = yield from send(read.request, fresh=True)
        if later.response is not None and not _works(seen, later):
            return PASSED
        if _revokes_refresh(spare, request) and _severity(spare) is Severity.LOW:
            return Inconclusive(
                reason=f"{candidate.key} takes the refresh token, and the access token that still "
                "works ends by itself within a quarter of an hour: what the refresh token still "
                "opens was not asked"
            )
        garbage = spare.with_token(subject.nonce()) if spare.token else None
        bare = subject.stripped(spare.strip(read.request))
        control = yield from send(garbage.apply(bare) if garbage else bare)
        if control.response is None or _works(seen, control):
            return Inconclusive(reason="made-up credentials are accepted there too")
        return Failed(
            detail=f"After {candidate.key} answered {response.status}, the credential of the "
            "session that it ended still works.",
            evidence=(
                shown("Log out", done),
                attack("What the session reads after its logout", later),
                shown("A made-up credential is refused there", control),
            ),
            operations=(candidate.key,),
            severity=_severity(spare),
        )
    return Inconclusive(reason=reason)


def _revokes_refresh(spare: Credential, request: Request) -> bool:
    """Whether the logout was given what would get the session its next access token."""
    return spare.refresh_token is not None and spare.refresh_token.encode() in request.body


def _severity(spare: Credential) -> Severity:
    """Low where the token ends by itself within minutes."""
    lifetime_s = issued_for_s(spare.token or "") or spare.lifetime_s
    if lifetime_s is not None and lifetime_s <= _SHORT_LIVED_S:
        return Severity.LOW
    return Severity.MEDIUM


def _working_read(subject: Subject, spare: Credential) -> Steps[tuple[Exchange, Exchange] | None]:
    """A read that works in the second session, twice, and that is refused without one."""
    for baseline in guarded_reads(subject)[:5]:
        if baseline.operation.path_parameters:
            continue  # somebody else's objects tell nothing
        bare = subject.stripped(spare.strip(baseline.exchange.request))
        read = yield from send(spare.apply(bare))
        if read.response is None or not read.succeeded or says_no(read.response):
            continue
        again = yield from send(read.request)
        anonymous = yield from send(bare)
        if not _works((read, again), anonymous):
            return read, again
    return None


def _works(seen: tuple[Exchange, Exchange], after: Exchange) -> bool:
    """Whether an answer holds what the session saw before."""
    one, repeat, other = (exchange.response for exchange in (*seen, after))
    if one is None or other is None or not other.succeeded:
        return False
    return same_content(one, other, repeat_of_one=repeat)


def _request(
    subject: Subject, candidate: Operation, who: Identity, spare: Credential
) -> Request | str:
    """The logout of the second session, or why it cannot be written."""
    values: dict[Slot, object] = {}
    for slot in subject.builder.slots(candidate):
        name = slot.name.rsplit(".", 1)[-1].lower().replace("_", "")
        if "refresh" in name:
            if spare.refresh_token is None:
                return "it wants a refresh token, and the login gave none"
            values[slot] = spare.refresh_token
        if name in {"token", "accesstoken", "jwt", "sessionid", "session"} and spare.token:
            values[slot] = spare.token
    try:
        built = subject.build(candidate, identity=who, replace=values)
    except Unbuildable as problem:
        return problem.reason
    return spare.apply(built.request)


_LOGIN = LoginRecipe(
    method="POST",
    path="/login",
    payload={"email": "{email}", "password": "{password}"},
    token_path="$.token",  # noqa: S106 - a JSON path, no secret
)


def _server(*, forgets: bool) -> Server:
    sessions: set[str] = set()
    numbers = itertools.count(1)

    def server(request: Request) -> Response:
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        if request.path == "/login":
            name = str(sent(request).get("email", "")).partition("@")[0]
            if sent(request).get("password") != f"{name}-password-1":
                return UNAUTHENTICATED
            made = f"{name}-session-{next(numbers)}"
            sessions.add(made)
            return answer(200, {"token": made})
        if caller(request) is None and token not in sessions:
            return UNAUTHENTICATED
        if request.path == "/logout":
            if forgets:
                sessions.discard(token)
            return answer(200, {"message": "logged out"})
        return answer(200, {"invoices": [{"number": 4711, "customer": "Ada"}]})

    return server


def vulnerable() -> Server:
    return _server(forgets=False)  # the app on the phone throws its token away, that is all


def safe() -> Server:
    return _server(forgets=True)


CHECK = Check(
    name="token-accepted-after-logout",
    title="A credential keeps working after its owner has logged out",
    family="authentication",
    severity=Severity.MEDIUM,
    confidence=Confidence.CERTAIN,
    per=Per.API,
    safety=Safety.MUTATING,
    references=References(
        cwe=(613,), owasp=("API2:2023",), asvs=("7.4.1",), wstg=("WSTG-SESS-06",)
    ),
    explanation=(
        "Who logs out, on a shared machine or after a theft, expects that the session is over. "
        "Where only the client forgets its token or cookie, a copy works on. The check logs the "
        "throw-away user in once more, or an identity where that leaves its first session alone, "
        "logs that second session out and reads with it again. The first session never logs out. "
        "It is low where the token ends by itself within a quarter of an hour, and left undecided "
        "where the logout takes the refresh token besides."
    ),
    remedy=(
        "End the session on the server: delete its record, or put the token's id on a list of "
        "revoked ones until it expires. Where tokens cannot be revoked, let them live for minutes "
        "and revoke the refresh token on logout."
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
            },
            "/logout": {"post": operation()},
            "/invoices": {"get": operation()},
        },
        vulnerable=vulnerable,
        safe=safe,
        policy={"never": ("POST /login",)},  # nobody's passwords are guessed in this example
        login=_LOGIN,
    ),
)
