"""Tokens that never expire, or not for months."""

from collections.abc import Mapping

from withstand.client.exchange import Request, Response
from withstand.client.identity import jwt_claims
from withstand.scan.check import (
    Check,
    Example,
    Failed,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    not_applicable,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.forging import jwt_reads, token_of
from withstand.scan.probes.tokens import issued_for_s, signed
from withstand.scan.subject import Baseline, Subject

_DAY_S = 86_400
MOST_DAYS = 30
"""A token that lives longer is worth a word: nobody notices for a month that it was stolen."""


def applies(subject: Subject) -> Skipped | None:
    if not jwt_reads(subject):
        return not_applicable("no operation was read with a JSON Web Token")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    yield from ()  # the tokens are there already
    reads = jwt_reads(subject)
    endless = [b for b in reads if "exp" not in (jwt_claims(token_of(subject, b)) or {})]
    if endless:
        return _failed(
            endless,
            "The tokens carry no expiry (`exp`): whoever has one keeps it for ever.",
            Severity.LOW,
        )
    lifetimes_s = {b.operation.key: issued_for_s(token_of(subject, b)) for b in reads}
    longest_s = max((value for value in lifetimes_s.values() if value is not None), default=None)
    if longest_s is None:
        return Passed(note="the tokens expire")
    if longest_s <= MOST_DAYS * _DAY_S:
        return Passed(note=f"the tokens live {_duration(longest_s)}")
    lasting = [b for b in reads if (lifetimes_s[b.operation.key] or 0) > MOST_DAYS * _DAY_S]
    return _failed(
        lasting,
        f"The tokens live {_duration(longest_s)}, more than {MOST_DAYS} days.",
        Severity.INFO,
    )


def _failed(reads: list[Baseline], detail: str, severity: Severity) -> Failed:
    return Failed(
        detail=detail,
        evidence=(shown("Read with such a token", reads[0].exchange),),
        operations=tuple(baseline.operation.key for baseline in reads),
        severity=severity,
    )


def _duration(seconds: float) -> str:
    if seconds >= 2 * _DAY_S:
        return f"{seconds / _DAY_S:,.0f} days"
    return f"{seconds / 3600:.0f} h" if seconds >= 7200 else f"{seconds:.0f} s"


_KEY = b"a key of the example"
_NAMES = ("alice", "bob", "root")


_ENDLESS = {name: signed({"sub": name, "iat": 1_750_000_000}, _KEY) for name in _NAMES}
_ENDING = {
    name: signed({"sub": name, "iat": 1_750_000_000, "exp": 1_750_003_600}, _KEY) for name in _NAMES
}


def _server(tokens: Mapping[str, str]) -> Server:
    def server(request: Request) -> Response:
        if request.header("authorization") not in {f"Bearer {token}" for token in tokens.values()}:
            return UNAUTHENTICATED
        return answer(200, {"invoices": [{"number": 4711, "customer": "Ada"}]})

    return server


def vulnerable() -> Server:
    return _server(_ENDLESS)


def safe() -> Server:
    return _server(_ENDING)


CHECK = Check(
    name="token-without-expiry",
    title="Tokens never expire, or not for months",
    family="authentication",
    severity=Severity.LOW,
    confidence=Confidence.CERTAIN,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(613,),
        owasp=("API2:2023",),
        asvs=("7.3.2", "9.2.1"),
        wstg=("WSTG-SESS-10",),
        rfc=("RFC 7519, 4.1.4",),
    ),
    explanation=(
        "A JSON Web Token without `exp` opens the account for as long as the signing key is in "
        "use. One that leaked, from a log, a backup or a lost laptop, cannot be waited out. The "
        "check reads the claims of the tokens that the scan holds and sends nothing. It is low "
        "where the expiry is missing and for information where it is more than 30 days away; "
        "neither fails a build unless `fail_on` says so. Tokens that say nothing of themselves "
        "are not judged."
    ),
    remedy=(
        "Give access tokens an `exp` of minutes to hours and verify it, and renew them with a "
        "refresh token that can be revoked. If the server ends sessions by a record of its own, "
        "an `exp` costs nothing and ends what that record forgets."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={"/invoices": {"get": operation()}},
        vulnerable=vulnerable,
        safe=safe,
        tokens=_ENDLESS,
        safe_tokens=_ENDING,
    ),
)
