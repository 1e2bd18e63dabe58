"""The flaws that can be planted, by name, and which of them are planted."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

FlawName = Literal[
    "no-token-check",
    "expired-tokens-accepted",
    "unverified-signatures",
    "any-token-accepted",
    "guessable-token-secret",
    "public-key-as-secret",
    "tokens-without-expiry",
    "role-not-checked",
    "sql-injection",
    "reflected-html",
    "path-traversal",
    "nul-byte-crash",
    "no-rate-limit",
    "rate-limit-without-retry-after",
    "password-hash-in-responses",
    "order-readable-by-other-user",
    "order-deletable-by-other-user",
    "admin-guard-reads-path",
    "configuration-page",
    "wildcard-cors-with-credentials",
    "origins-compared-by-prefix",
    "allowed-origin-left-out",
    "preflights-approved-for-everybody",
    "no-https-redirect",
    "no-hsts",
    "slow-endpoint",
    "memory-leak",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One precaution the demo can leave out.

    `row` is the line of a security checklist or a test plan that ought to notice;
    `where` is the operation on which it shows. `seen_by` names the check of the scan that must
    find it, None where only a load shows it; `seen_on` the operations on which it must, where
    that makes one finding each.
    """

    name: FlawName
    title: str
    row: str
    where: str
    seen_by: str | None = None
    seen_on: tuple[str, ...] = ()


FLAWS = (
    Flaw(
        name="no-token-check",
        title="The list of users is served to callers without a token.",
        row="Auth: missing token gives 401",
        where="GET /users",
        seen_by="missing-credential-accepted",
        seen_on=("GET /users",),
    ),
    Flaw(
        name="expired-tokens-accepted",
        title="A token keeps working after its expiry; its signature is still verified.",
        row="Auth: expired token gives 401",
        where="every operation that needs a token",
        seen_by="expired-token-accepted",
    ),
    Flaw(
        name="unverified-signatures",
        title="The claims of a token are believed without verifying its signature.",
        row="Auth: tampered token gives 401",
        where="every operation that needs a token",
        seen_by="jwt-signature-not-verified",
    ),
    Flaw(
        name="any-token-accepted",
        title="The list of users is served to everybody who sends a token, whatever it says.",
        row="Auth: tampered token gives 401",
        where="GET /users",
        seen_by="garbage-credential-accepted",
        seen_on=("GET /users",),
    ),
    Flaw(
        name="guessable-token-secret",
        title="Tokens are signed with a secret that stands in a tutorial.",
        row="Auth: tampered token gives 401",
        where="every operation that needs a token",
        seen_by="jwt-secret-guessable",
    ),
    Flaw(
        name="public-key-as-secret",
        title="Tokens are signed by a key pair, but its public key works as a secret as well.",
        row="Auth: tampered token gives 401",
        where="every operation that needs a token",
        seen_by="jwt-algorithm-confusion",
    ),
    Flaw(
        name="tokens-without-expiry",
        title="Tokens do not say when they expire.",
        row="Auth: expired token gives 401",
        where="every operation that needs a token",
        seen_by="token-without-expiry",
    ),
    Flaw(
        name="role-not-checked",
        title="Every signed-in user may do what is meant for administrators.",
        row="Auth: wrong role gives 403",
        where="GET and DELETE /admin/users/{id}",
        seen_by="operation-open-to-lower-role",
        seen_on=("GET /admin/users/{id}", "DELETE /admin/users/{id}"),
    ),
    Flaw(
        name="sql-injection",
        title="The product search is pasted into the text of its SQL query.",
        row="Input: SQL injection",
        where="GET /products?q=",
        seen_by="sql-injection",
        seen_on=("GET /products",),
    ),
    Flaw(
        name="reflected-html",
        title="The label's heading is put into an HTML page without escaping.",
        row="Input: XSS",
        where="GET /products/{sku}/label?heading=",
        seen_by="cross-site-scripting",
        seen_on=("GET /products/{sku}/label",),
    ),
    Flaw(
        name="path-traversal",
        title="A manual's name may lead out of the folder of manuals.",
        row="Input: path traversal",
        where="GET /manuals?name=",
        seen_by="path-traversal",
        seen_on=("GET /manuals",),
    ),
    Flaw(
        name="nul-byte-crash",
        title="A NUL byte in any text crashes the request with a 500 instead of a 422.",
        row="Input: null bytes",
        where="every operation that takes text",
        seen_by="nul-byte-crash",
    ),
    Flaw(
        name="no-rate-limit",
        title="Passwords can be guessed without end.",
        row="Rate limiting: brute force triggers 429",
        where="POST /auth/login and POST /auth/token",
        seen_by="login-not-rate-limited",
        seen_on=("POST /auth/login", "POST /auth/token"),
    ),
    Flaw(
        name="rate-limit-without-retry-after",
        title="The refusal of further guesses does not say when to try again.",
        row="Rate limiting: 429 with Retry-After",
        where="POST /auth/login and POST /auth/token",
        seen_by="rate-limit-without-retry-after",
    ),
    Flaw(
        name="password-hash-in-responses",
        title="Users are answered with their password hashes.",
        row="Data exposure: response never contains passwords or secrets",
        where="GET /users, GET and PATCH /users/me, POST /users, GET /admin/users/{id}",
        seen_by="password-hash-in-response",
    ),
    Flaw(
        name="order-readable-by-other-user",
        title="Every signed-in user who knows its id may read an order.",
        row="Auth: object-level authorisation",
        where="GET /orders/{id}",
        seen_by="object-readable-by-other-user",
        seen_on=("GET /orders/{id}",),
    ),
    Flaw(
        name="order-deletable-by-other-user",
        title="Every signed-in user who knows its id may delete an order.",
        row="Auth: object-level authorisation",
        where="DELETE /orders/{id}",
        seen_by="object-deletable-by-other-user",
        seen_on=("DELETE /orders/{id}",),
    ),
    Flaw(
        name="admin-guard-reads-path",
        title="The guard of the administrators' operations compares the path as it was spelled.",
        row="Auth: wrong role gives 403",
        where="GET and DELETE /admin/users/{id}, spelled /%61dmin/users/{id}",
        seen_by="path-variant-bypasses-access",
    ),
    Flaw(
        name="configuration-page",
        title="A page that no document names shows the configuration and its secrets.",
        row="Inventory: no undocumented operations",
        where="GET /internal/config",
        seen_by="undocumented-operation",
    ),
    Flaw(
        name="wildcard-cors-with-credentials",
        title="Every origin may send credentialed requests and read the answers.",
        row="CORS: only allowed origins accepted",
        where="every operation",
        seen_by="cross-origin-reads-allowed",
    ),
    Flaw(
        name="origins-compared-by-prefix",
        title="Every origin that begins like the allowed one may read the answers.",
        row="CORS: only allowed origins accepted",
        where="every operation",
        seen_by="look-alike-origin-allowed",
    ),
    Flaw(
        name="allowed-origin-left-out",
        title="No origin may read the answers, not even the one that is meant to.",
        row="CORS: allowed origins work",
        where="every operation",
        seen_by="allowed-origin-refused",
    ),
    Flaw(
        name="preflights-approved-for-everybody",
        title="Browsers are told that pages of every origin may send requests with cookies.",
        row="CORS: only allowed origins accepted",
        where="OPTIONS of every operation",
        seen_by="foreign-preflight-approved",
    ),
    Flaw(
        name="no-https-redirect",
        title="The API is served over plain HTTP beside HTTPS.",
        row="HTTPS: HTTP redirects to HTTPS",
        where="every operation, with --https",
        seen_by="plain-http-accepted",
    ),
    Flaw(
        name="no-hsts",
        title="Browsers are not told to use nothing but HTTPS.",
        row="HTTPS: Strict-Transport-Security",
        where="every operation, with --https",
        seen_by="weak-transport-security",
    ),
    Flaw(
        name="slow-endpoint",
        title="The list of users takes 300 ms longer.",
        row="Load test, API latency",
        where="GET /users",
    ),
    Flaw(
        name="memory-leak",
        title="Each request leaves 64 KiB of memory in use, up to 1 GiB in all.",
        row="Soak test: memory leaks over time",
        where="every operation",
    ),
)

_NAMES = get_args(FlawName)


class UnknownFlawError(ValueError):
    """A flaw was asked for that does not exist; the message names those that do."""


@dataclass(frozen=True, slots=True)
class Planted:
    """The flaws planted in one server; none unless told otherwise."""

    names: frozenset[FlawName] = frozenset()

    def has(self, name: FlawName) -> bool:
        return name in self.names


def plant(names: Iterable[str]) -> Planted:
    """The flaws with these names, or all for `["all"]`.

    Raises UnknownFlawError.
    """
    wanted = {name.strip() for name in names} - {""}
    if unknown := sorted(wanted - {*_NAMES, "all"}):
        raise UnknownFlawError(
            f"There is no flaw named {', '.join(map(repr, unknown))}; "
            f"choose from: all, {', '.join(_NAMES)}."
        )
    chosen = _NAMES if "all" in wanted else wanted
    return Planted(frozenset(flaw.name for flaw in FLAWS if flaw.name in chosen))
