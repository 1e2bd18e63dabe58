"""An older version of the API asks for less than the current one."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.field_names import is_password
from withstand.client.identity import Identity
from withstand.scan.access.granted import owner_of, refuses
from withstand.scan.access.guarded import guarded_reads
from withstand.scan.answers.shape import leaves, same_shape, tells
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
from withstand.scan.finding import Evidence, Severity
from withstand.scan.seen import operation_of
from withstand.scan.subject import Baseline, Subject
from withstand.scan.wire.login import based

_VERSION: Final = re.compile(r"(?<=/)(v)(\d{1,2})(\.\d+)?(?=/|$)", re.IGNORECASE)
_MOST_OPERATIONS: Final = 25
_MOST_VERSIONS: Final = 3


def older(path: str) -> Iterator[str]:
    """The path in older versions, the latest first: `/v3/a` → `/v2/a`, `/v1/a`."""
    found = _VERSION.search(path)
    if found is None:
        return
    lowest = 1 if int(found[2]) > 1 else 0
    for number in range(int(found[2]) - 1, lowest - 1, -1)[:_MOST_VERSIONS]:
        yield f"{path[: found.start()]}{found[1]}{number}{path[found.end() :]}"


def applies(subject: Subject) -> Skipped | None:
    if not any(True for baseline in guarded_reads(subject) if _path(baseline)) or not any(
        True for baseline in guarded_reads(subject) for _ in older(_path(baseline))
    ):
        return not_applicable("no operation that needs a credential has a version in its path")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    granted: list[str] = []
    evidence: list[Evidence] = []
    where, unclear = "", ""
    for baseline in guarded_reads(subject)[:_MOST_OPERATIONS]:
        for path in older(_path(baseline)):
            shown_here = yield from _grants(subject, baseline, path)
            if isinstance(shown_here, str):
                unclear = unclear or shown_here
            elif shown_here:
                granted.append(baseline.operation.key)
                where = where or path.split("?", 1)[0]
                evidence += shown_here
                break
    if not granted:
        login = yield from _login(subject)
        if login is not None:
            return login
        return Inconclusive(reason=unclear) if unclear else PASSED
    return Failed(
        detail=f"Without a valid credential {granted[0]} is refused, and its older version "
        f"{where} answers with what an authorised identity gets.",
        evidence=tuple(evidence[:6]),
        operations=tuple(dict.fromkeys(granted)),
    )


def _path(baseline: Baseline) -> str:
    return baseline.exchange.request.path


def _grants(subject: Subject, baseline: Baseline, path: str) -> Steps[tuple[Evidence, ...] | str]:
    """The proof that the older path serves whom the current one refuses; empty when it does not."""
    bare = subject.stripped(baseline.exchange.request)
    old = replace(bare, path=path)
    owner = owner_of(subject, baseline)
    if owner is None or _is_declared(subject, baseline, old):
        return ()
    garbage = _garbage(owner, subject.nonce())
    for how, dress in (("no credential", None), ("a credential that was made up", garbage)):
        tried = yield from send(dress.authorize(old) if dress else old)
        if tried.status == 404:
            return ()  # there is no such version
        if tried.response is None or not tried.succeeded or subject.refused(tried.response):
            continue
        control = yield from send(owner.authorize(bare))
        if control.response is None or not control.succeeded:
            return f"the authorised request now gets {control.status}"
        if not _tells_the_same(baseline, control.response, tried.response):
            continue
        refusal = yield from send(dress.authorize(bare) if dress else bare)
        nowhere = yield from send(replace(old, path=_beside(path, subject.nonce())))
        if refusal.response is None or not refuses(subject, refusal.response):
            continue  # the current one serves them too: that is another finding
        if nowhere.response is not None and nowhere.response.body == tried.response.body:
            continue
        return (
            shown(f"With {how} the current version refuses", refusal),
            attack(f"With {how} the older one answers", tried),
            shown("For comparison, what an authorised identity gets", control),
        )
    return ()


def _tells_the_same(baseline: Baseline, expected: Response, other: Response) -> bool:
    """Whether the older answer holds the authorised one's data; versions may differ in shape."""
    if not tells(other) or not tells(expected):
        return False
    if same_content(expected, other, repeat_of_one=baseline.exchange.response):
        return True
    if same_shape(expected, other):
        return True
    telling = {str(v) for _, v in leaves(expected.json()) if len(str(v)) > 7}
    return bool(telling) and any(str(value) in telling for _, value in leaves(other.json()))


def _is_declared(subject: Subject, baseline: Baseline, old: Request) -> bool:
    """Whether the document has the older path and says that it needs a credential, or is public."""
    found = operation_of(subject, replace(baseline.exchange, request=old))
    return found is not None and (found.requires_credential or subject.policy.is_public(found))


def _beside(path: str, nonce: str) -> str:
    return f"{path.split('?', 1)[0].rsplit('/', 1)[0]}/{nonce}"


def _garbage(owner: Identity, nonce: str) -> Identity | None:
    if owner.credential is None or owner.credential.token is None:
        return None
    return owner.logged_in(owner.credential.with_token(nonce))


def _login(subject: Subject) -> Steps[Outcome | None]:
    """Whether an older login believes a wrong password; None when it does not."""
    recipe, user = subject.login, subject.throwaway
    if recipe is None or user is None:
        return None
    wrong = {k: "Wrong-1-" + v if is_password(k) else v for k, v in user.fields.items()}
    try:
        current = based(
            recipe.request(replace(user, fields=wrong, credential=None)), subject.target.base_path
        )
    except KeyError:
        return None
    for path in older(current.path):
        tried = yield from send(replace(current, path=path))
        credential = recipe.credential(tried.response) if tried.response is not None else None
        if credential is None or not tried.succeeded:
            continue
        refusal = yield from send(current)
        if refusal.response is None or recipe.credential(refusal.response) is not None:
            continue
        believed = yield from _believed(subject, user.logged_in(credential))
        if believed is None:
            return Passed(note=f"{path} gives a token for a wrong password, but it opens nothing")
        return Failed(
            detail=f"The login refuses a wrong password, and its older version {path} gives a "
            "token for it.",
            evidence=(
                shown("The current login refuses a wrong password", refusal),
                attack("The older one gives a token", tried),
                shown("The token is good", believed),
            ),
            operations=(recipe.operation_key,),
        )
    return None


def _believed(subject: Subject, user: Identity) -> Steps[Exchange | None]:
    if subject.canary is None:
        return None
    bare = subject.stripped(subject.canary.exchange.request)
    exchange = yield from send(user.authorize(bare))
    response = exchange.response
    good = response is not None and exchange.succeeded and not subject.refused(response)
    return exchange if good else None


def _server(old_is_open: bool) -> Server:
    def server(request: Request) -> Response:
        version, _, rest = request.operation_path.removeprefix("/api/").partition("/")
        if rest != "payslips" or version not in {"v1", "v2"}:
            return not_found()
        if caller(request) is None and not (version == "v1" and old_is_open):
            return UNAUTHENTICATED
        return answer(200, {"payslips": [{"month": "2025-05", "net_cents": 271828}]})

    return server


def vulnerable() -> Server:
    return _server(old_is_open=True)


def safe() -> Server:
    return _server(old_is_open=False)


CHECK = Check(
    name="old-version-less-guarded",
    title="An older version of the API serves callers that the current one refuses",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(1059, 306), owasp=("API9:2023",), asvs=("8.2.1",), wstg=("WSTG-CONF-05",)
    ),
    explanation=(
        "The version in the path was raised, and the routes of the older one still answer, "
        "without the guards that were added since. Nobody looks at them, because no document "
        "names them. The check asks for the older versions of paths that need a credential, with "
        "none and with one that was made up, and reports those that answer with what the current "
        "version gives only to an authorised identity. A login is tried with a wrong password of "
        "a user signed up for the scan."
    ),
    remedy=(
        "Take old versions out of service, or route them through the same guards as the current "
        "one. Keep a list of the versions that are deployed, and test the refusals on each."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={"/api/v2/payslips": {"get": operation()}}, vulnerable=vulnerable, safe=safe
    ),
)
