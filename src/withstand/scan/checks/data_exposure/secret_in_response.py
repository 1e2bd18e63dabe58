"""Responses carry passwords, keys and other secrets."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.field_names import is_password
from withstand.openapi.operation import Operation
from withstand.scan.answers.shape import leaves
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    FailedMany,
    Outcome,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Confidence, Evidence, Severity
from withstand.scan.probes.tokens import is_jwt
from withstand.scan.seen import (
    answers,
    carries,
    concealed_evidence,
    declares,
    gives_out_secrets,
    keys_of,
    operation_of,
    where,
)
from withstand.scan.subject import Subject
from withstand.scan.wire.real_users import inputs_of

_SECRET: Final = frozenset(
    {"privatekey", "secretkey", "clientsecret", "totpsecret", "otpsecret", "mfasecret"}
    | {"resettoken", "passwordresettoken"}
)
_PERHAPS_SECRET: Final = frozenset({"secret", "apikey", "pin", "otp", "ssn"})
_SENT_ELSEWHERE: Final = frozenset({"otp", "resettoken", "passwordresettoken"})
"""What proves who is asking because it comes by mail or message, and by no answer."""
_CODE: Final = re.compile(r"\d{4,8}")
_SHOWN_ONCE: Final = frozenset({"secret", "apikey", "clientsecret", "secretkey"})
"""What the answer to a creation may hold: nobody could use it otherwise."""
_SECRET_FIELD: Final = re.compile(r"(?i)secret|api_?key|(?:^|_)(?:pin|otp)$")
"""Fields of an identity that are as secret as a password."""
_MASKED: Final = re.compile(
    r"[*•·.xX-]+|.{0,4}[*•]{3,}.{0,4}|\W?(?i:redacted|hidden|masked|string)\W?"
)
_LOOKS_LIKE_HASH: Final = re.compile(r"\$\w+\$|pbkdf2|scrypt|\{S?SHA")
_DIGEST: Final = re.compile(r"(?:[0-9a-fA-F]{2}){16,64}")
"""A hash where a password is expected; a key is as likely to be written so itself."""


_LEAST_KEY: Final = 8  # characters: what is shorter may be anything


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leak:
    what: str
    value: str
    severity: Severity
    confidence: Confidence


def applies(subject: Subject) -> Skipped | None:
    return None if subject.observed or subject.baselines else Skipped(reason="nothing was answered")


def run(subject: Subject) -> Steps[Outcome]:
    own = _own_secrets(subject)
    found: dict[str, list[tuple[Exchange, _Leak]]] = {}
    for exchange in answers(subject, documented=True):
        for leak in _leaks(subject, exchange, own):
            found.setdefault(leak.what, []).append((exchange, leak))
    yield from ()
    if not found:
        return PASSED
    return FailedMany(
        failures=tuple(_failure(subject, what, leaks) for what, leaks in found.items())
    )


def _failure(subject: Subject, what: str, leaks: list[tuple[Exchange, _Leak]]) -> Failed:
    exchange, worst = max(leaks, key=lambda pair: pair[1].severity.rank)
    caption = f"The response holds {what}"
    if worst.confidence is Confidence.CERTAIN:  # one that the scan knows is masked by its variable
        evidence: tuple[Evidence, ...] = (shown(caption, exchange, worst.value),)
    else:
        pairs = ((exchange, leak.value) for exchange, leak in leaks)
        evidence = concealed_evidence(subject, caption, pairs)[:1]
    exchanges = [exchange for exchange, _ in leaks]
    return Failed(
        detail=f"{what[0].upper()}{what[1:]} is in the responses of {where(subject, exchanges)}.",
        evidence=evidence,
        operations=keys_of(subject, exchanges),
        parameter=what,
        severity=worst.severity,
        confidence=worst.confidence,
    )


def _leaks(subject: Subject, exchange: Exchange, own: dict[str, str]) -> Iterator[_Leak]:
    response = exchange.response
    assert response is not None, "answers() gives exchanges with a response"
    text = response.text + "\n".join(value for _, value in response.headers)
    document = response.json()
    values = list(leaves(document)) if document is not None else []
    strings = {value for _, value in values if isinstance(value, str)}
    for value, named in own.items():
        if value in strings or (_is_distinctive(value) and value in text):
            echoed = not response.succeeded and carries(exchange.request, value)
            yield _Leak(
                what=named if not echoed else "the password just sent",
                value=value,
                severity=Severity.LOW if echoed else Severity.HIGH,
                confidence=Confidence.CERTAIN,
            )
    if response.succeeded:
        keys = _own_keys(subject)
        yield from _keys(subject, exchange, keys.items(), strings)
        yield from _named(subject, exchange, values, own | keys)


def _keys(
    subject: Subject, exchange: Exchange, keys: Iterable[tuple[str, str]], strings: set[str]
) -> Iterator[_Leak]:
    """Keys that callers send are theirs to know, and still not to be read from every answer."""
    called = operation_of(subject, exchange)
    for value, named in keys:
        if value in strings and not gives_out_secrets(called, exchange.request):
            yield _Leak(
                what=named,
                value=value,
                severity=Severity.MEDIUM,
                confidence=Confidence.CERTAIN,
            )


def _named(
    subject: Subject, exchange: Exchange, values: list[tuple[str, Any]], own: dict[str, str]
) -> Iterator[_Leak]:
    """Properties whose name says that they hold a secret, with a value that is one."""
    called = operation_of(subject, exchange)
    is_login = gives_out_secrets(called, exchange.request)
    declared: list[Any] | None = None
    for key, value in values:
        plain = re.sub(r"[^a-z]", "", key.lower())
        surely = plain in _SECRET or _is_password_name(key)
        to_anybody = exchange.identity is None and plain == "otp"
        surely = surely or (to_anybody and _CODE.fullmatch(str(value)) is not None)
        if not surely and plain not in _PERHAPS_SECRET:
            continue
        if is_login and plain not in _SENT_ELSEWHERE:
            continue
        text = str(value)
        if not _is_real(value) or text in own or _LOOKS_LIKE_HASH.match(text):
            continue
        if plain in _SHOWN_ONCE and called is not None and _is_made(called, exchange):
            continue
        if is_password(key) and _DIGEST.fullmatch(text):
            continue
        if not is_password(key) and carries(exchange.request, text):
            continue
        if plain == "secret" and _wrote(subject, exchange, key, text):
            continue
        if declared is None:
            declared = list(declares(subject.api, called))
        if value in declared and not is_password(key):
            continue
        yield _Leak(
            what=f"the property {key!r}",
            value=text,
            severity=Severity.HIGH,
            confidence=Confidence.FIRM if surely and not _is_label(text) else Confidence.TENTATIVE,
        )


def _wrote(subject: Subject, shown_in: Exchange, key: str, text: str) -> bool:
    """Whether who reads it chose it: a diary's secrets are its text, and no key to anything."""
    return any(
        (key, text) in inputs_of(exchange.request)
        for exchange in subject.observed
        if exchange.identity == shown_in.identity and exchange.succeeded
    )


def _is_made(called: Operation, exchange: Exchange) -> bool:
    return called.method == "POST" and exchange.status == 201


def _is_label(value: str) -> bool:
    """Whether a text may be a word for people: `Password`, as a table of translations has it."""
    return all(character.isalpha() or character in " .:!?…'" for character in value)


def _is_password_name(key: str) -> bool:
    """A password itself: not its age, its strength or whether there is one."""
    plain = re.sub(r"[^a-z]", "", key.lower())
    return plain in {"password", "passwd", "pwd", "userpassword", "plainpassword", "newpassword"}


def _is_real(value: Any) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    text = str(value).strip()
    return len(text) >= 3 and _MASKED.fullmatch(text) is None


def _is_distinctive(value: str) -> bool:
    """Whether a text cannot be in a response by chance."""
    kinds = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    return len(value) >= 8 and sum(any(kind(c) for c in value) for kind in kinds) >= 3


def _own_secrets(subject: Subject) -> dict[str, str]:
    """The secrets that the scan knows, and what they are: `the password of alice`."""
    everybody = (*subject.identities, *((subject.throwaway,) if subject.throwaway else ()))
    return {
        value: f"the {'password' if is_password(key) else key} of {identity.name}"
        for identity in everybody
        for key, value in identity.fields.items()
        if (is_password(key) or _SECRET_FIELD.search(key)) and len(value) >= 6
    }


def _own_keys(subject: Subject) -> dict[str, str]:
    """API keys in use. Who logs in has a token instead, which ends by itself."""
    tokens = {
        identity.name: identity.credential.token
        for identity in subject.identities
        if subject.login is None and identity.login is None and identity.credential is not None
    }
    return {
        token: f"the API key of {name}"
        for name, token in tokens.items()
        if token is not None and len(token) >= _LEAST_KEY and not is_jwt(token)
    }


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, {"name": "printer", "client_secret": "k9Qv-72xNfP0-aL3e"})

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, {"name": "printer", "client_secret": "********"})

    return server


CHECK = Check(
    name="secret-in-response",
    title="Responses carry secrets",
    family="data exposure",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.READ_ONLY,
    looks_back=True,
    references=References(
        cwe=(200, 522, 312), owasp=("API3:2023",), asvs=("14.2.6",), wstg=("WSTG-APIT-03",)
    ),
    explanation=(
        "A response holds a secret: a password of the scan's own users, or a real value under a "
        "name such as client_secret. Whoever "
        "reads the response, in a log, a cache or a browser, can use it. The check looks at "
        "everything the scan received; masked values, operations that hand out tokens, and what "
        "the request itself sent are left out. Names that may be harmless, such as pin, are "
        "reported for review only."
    ),
    remedy=(
        "Leave secrets out of responses, or mask them. Show a new key once, in the answer to its "
        "creation, and store only its hash. Keep error messages from repeating the request: the "
        "password that was refused is often nearly the right one."
    ),
    run=run,
    applies=applies,
    example=Example(paths={"/clients/own": {"get": operation()}}, vulnerable=vulnerable, safe=safe),
)
