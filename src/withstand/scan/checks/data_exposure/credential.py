"""Responses carry credentials that are known by their form, or another user's token."""

from collections.abc import Iterator, Mapping
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity, jwt_claims
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
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.credential_formats import Secret, checksum, credentials_in
from withstand.scan.seen import (
    answers,
    concealed_evidence,
    declares,
    gives_out_secrets,
    keys_of,
    operation_of,
    sent_before,
    text_of,
    where,
)
from withstand.scan.subject import Subject

_SUBJECT_CLAIMS: Final = ("sub", "user_id", "uid", "userId", "id", "email", "username")
_SHORTEST_TOKEN: Final = 16
_OTHERS_TOKEN: Final = "the token of another user"  # noqa: S105 - what it is called


def applies(subject: Subject) -> Skipped | None:
    return None if subject.observed or subject.baselines else Skipped(reason="nothing was answered")


def run(subject: Subject) -> Steps[Outcome]:
    yield from ()
    tokens = dict(_tokens(subject))
    found: dict[str, list[tuple[Exchange, str]]] = {}
    for exchange in answers(subject, documented=True):
        if gives_out_secrets(operation_of(subject, exchange), exchange.request):
            continue
        for secret in _secrets(subject, exchange, tokens):
            found.setdefault(secret.what, []).append((exchange, secret.value))
    if not found:
        return PASSED
    return FailedMany(
        failures=tuple(_failure(subject, what, pairs) for what, pairs in found.items())
    )


def _failure(subject: Subject, what: str, pairs: list[tuple[Exchange, str]]) -> Failed:
    exchanges = [exchange for exchange, _ in pairs]
    return Failed(
        detail=f"{what[0].upper()}{what[1:]} is in the responses of {where(subject, exchanges)}.",
        evidence=concealed_evidence(subject, f"The response holds {what}", pairs),
        operations=keys_of(subject, exchanges),
        parameter=what,
        confidence=Confidence.CERTAIN if what == _OTHERS_TOKEN else None,
    )


def _secrets(subject: Subject, exchange: Exchange, tokens: Mapping[str, str]) -> Iterator[Secret]:
    response = exchange.response
    assert response is not None, "answers() gives exchanges with a response"
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers)
    text = text_of(response)
    for secret in credentials_in(f"{headers}\n{text}"):
        public = declares(subject.api, operation_of(subject, exchange))
        documented = any(secret.value in str(example) for example in public)
        if not documented and not sent_before(subject, secret.value):
            yield secret
    asker = exchange.identity
    if asker is None and _may_log_in(exchange.request):
        return
    for word in text.split():
        whose = _owner(word, tokens) if len(word) >= _SHORTEST_TOKEN else None
        if whose is not None and whose != asker and not _carries_token(exchange.request, word):
            yield Secret(what=_OTHERS_TOKEN, value=word)


def _owner(text: str, tokens: Mapping[str, str]) -> str | None:
    """The identity whose token a text is: the very one, or a JWT with that identity's subject."""
    if text in tokens:
        return tokens[text]
    named = _who(text)
    if named is None:
        return None
    return next((name for token, name in tokens.items() if _who(token) == named), None)


def _who(token: str) -> tuple[str, str] | None:
    """The claim that says whose a JWT is, with its value."""
    claims = jwt_claims(token)
    if claims is None:
        return None
    return next(
        ((key, str(claims[key])) for key in _SUBJECT_CLAIMS if claims.get(key) is not None), None
    )


def _tokens(subject: Subject) -> Iterator[tuple[str, str]]:
    """The tokens of all identities, and whose they are."""
    people: tuple[Identity, ...] = subject.identities
    if subject.throwaway is not None:
        people = (*people, subject.throwaway)
    for identity in people:
        token = identity.credential.token if identity.credential else None
        if token is not None and len(token) >= _SHORTEST_TOKEN:
            yield token, identity.name


def _may_log_in(request: Request) -> bool:
    """Whether a request of nobody known may be somebody who gets their own token."""
    headers = (request.header("authorization"), request.header("cookie"))
    return request.method != "GET" or "?" in request.path or any(headers)


def _carries_token(request: Request, token: str) -> bool:
    """Whether a request sent that token itself, in a header or anywhere else."""
    sent = "\n".join((*(value for _, value in request.headers), request.path))
    return token in sent or token in request.body.decode("utf-8", "replace")


_DRAWN = "q7Rz2LkV9mXw4TbN8sYc3HdJ6fGpQ1"  # 30 characters and their checksum: a token of nobody


def vulnerable() -> Server:
    token = f"ghp_{_DRAWN}{checksum(_DRAWN)}"

    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, {"repository": "shop", "remote": f"https://{token}@git.example.com"})

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(
            200,
            {
                "repository": "shop",
                "remote": "https://git.example.com",
                "hint": "set GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                "commit": "9f2c4e1b7a8d3f605c1e2b4a6d8f0c3e5a7b9d1f",
                "download": "https://files.example.com/a.zip?X-Amz-Credential=AKIAQ7RZ2LKVEMXW4TBN"
                "%2F20260101%2Feu-west-1%2Fs3%2Faws4_request",
            },
        )

    return server


CHECK = Check(
    name="credential-in-response",
    title="Responses carry credentials of a provider or of another user",
    family="data exposure",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.READ_ONLY,
    looks_back=True,
    references=References(
        cwe=(312, 522, 200), owasp=("API3:2023",), asvs=("14.2.6", "13.3.1"), wstg=("WSTG-APIT-03",)
    ),
    explanation=(
        "A response holds a credential that is known by its form: a private key, the key or token "
        "of a provider such as AWS, GitHub, Slack or Stripe, the address of a database with its "
        "password, or the token of another user of the scan. Whoever reads the response can use "
        "it. The check looks at every response that the scan received. It leaves out examples, "
        "placeholders, what requests have sent themselves, the key ids in signed URLs, and "
        "operations whose purpose it is to issue a token or a key."
    ),
    remedy=(
        "Revoke what was sent out: it must be taken for known. Keep such values out of records "
        "that become responses, out of configuration that an operation shows, and out of error "
        "messages. Answer with a type that names the properties to be sent."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={"/builds/latest": {"get": operation()}}, vulnerable=vulnerable, safe=safe
    ),
)
