"""Identities, their credentials, and the recipe that turns one into the other. Pure."""

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from withstand.client.exchange import Headers, Request, Response, json_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What makes a request act as somebody: headers, and the bare token when there is one.

    `lifetime_s` is how long it is good from the login on; None where the login did not say.
    """

    headers: Headers
    token: str | None = None
    lifetime_s: float | None = field(default=None, compare=False)

    def apply(self, request: Request) -> Request:
        """The request with this credential in place of any other."""
        for name, value in self.headers:
            request = request.with_header(name, value)
        return request

    def strip(self, request: Request) -> Request:
        """The request without the headers that carry this credential."""
        for name, _ in self.headers:
            request = request.without_header(name)
        return request

    def with_token(self, token: str) -> "Credential":
        """The same place of sending with another token; as it is where no token is known."""
        if not self.token:
            return self
        headers = tuple((name, value.replace(self.token, token)) for name, value in self.headers)
        return Credential(headers=headers, token=token)

    @property
    def expires_at_s(self) -> float | None:
        """The `exp` claim (Unix seconds) when the token is a JWT that has one, unverified."""
        claims = jwt_claims(self.token or "")
        value = claims.get("exp") if claims else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        try:
            return float(value)
        except OverflowError:  # a whole number beyond any float: never
            return math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody who uses the API: a name, a role, and what logs them in.

    `fields` fill the placeholders of the login recipe (email, password …). `credential` is None
    until the identity has logged in. `throwaway` marks users the tool created for itself: only
    those may have their password, role or account changed.
    """

    name: str
    role: str
    fields: Mapping[str, str] = field(default_factory=dict)
    credential: Credential | None = None
    throwaway: bool = False

    def authorize(self, request: Request) -> Request:
        """The request as this identity sends it."""
        return self.credential.apply(request) if self.credential else request

    def logged_in(self, credential: Credential) -> "Identity":
        """The same identity with a credential."""
        return replace(self, credential=credential)

    @property
    def secrets(self) -> Mapping[str, str]:
        """Secret value → the shell variable that stands for it in everything we print."""
        label = _variable_name(self.name)
        found = {
            value: f"$WITHSTAND_{_variable_name(key)}_{label}"
            for key, value in self.fields.items()
            if value and any(word in key.lower() for word in _SECRET_FIELDS)
        }
        if self.credential is not None:
            if self.credential.token:
                found[self.credential.token] = f"$WITHSTAND_TOKEN_{label}"
            else:
                for name, value in self.credential.headers:
                    found[value] = f"$WITHSTAND_{_variable_name(name)}_{label}"
        return found


_SECRET_FIELDS = ("password", "passwd", "secret", "token", "key", "pin", "otp")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRecipe:
    """How an identity gets its credential.

    `payload` is the body with `{placeholders}` for the identity's fields. `token_path` points into
    the JSON response (`$.access_token`). `send_as` is a header line with `{token}`.
    `short_lived`, merged into the payload, asks for a token that expires at once; `leeway_s` is
    the clock skew that the API tolerates after a token's expiry.
    """

    method: str
    path: str
    payload: Mapping[str, object]
    encoding: str = "json"  # json | form
    token_path: str = "$.access_token"  # noqa: S105 - a JSON path, no secret
    send_as: str = "Authorization: Bearer {token}"
    short_lived: Mapping[str, object] | None = None
    leeway_s: float = 60.0

    def request(self, identity: Identity, *, short_lived: bool = False) -> Request:
        """The login request of an identity. Raises KeyError naming a field that it lacks."""
        payload = {key: _fill(value, identity.fields) for key, value in self.payload.items()}
        if short_lived and self.short_lived is not None:
            payload.update(self.short_lived)
        if self.encoding == "json":
            return json_request(self.method, self.path, payload)
        return Request(
            method=self.method,
            path=self.path,
            headers=(("Content-Type", "application/x-www-form-urlencoded"),),
            body=urlencode({key: str(value) for key, value in payload.items()}).encode(),
        )

    def credential(self, response: Response) -> Credential | None:
        """The credential in a login response; None when the token is not where it should be.

        `expires_in` beside the token is heard (RFC 6749, section 5.1).
        """
        document = response.json()
        token = json_path(document, self.token_path)
        if not isinstance(token, str) or not token:
            return None
        return replace(self.credential_of(token), lifetime_s=_lifetime_s(document))

    def credential_of(self, token: str) -> Credential:
        """The credential that sends this token as the recipe says."""
        name, _, value = self.send_as.partition(":")
        header = (name.strip(), value.strip().replace("{token}", token))
        return Credential(headers=(header,), token=token)

    @property
    def is_personal(self) -> bool:
        """Whether the payload holds anything of the identity: one that does not logs nobody in."""
        try:
            _fill(self.payload, {})
        except KeyError:
            return True
        return False

    @property
    def operation_key(self) -> str:
        """The operation that logs in, `POST /auth/token`."""
        return f"{self.method} {self.path}"


def json_path(document: Any, path: str) -> Any:
    """The value at a simple JSON path (`$.data.tokens[0].value`), None when it is absent."""
    node = document
    for part in path.removeprefix("$").replace("[", ".").replace("]", "").split("."):
        if not part:
            continue
        if isinstance(node, Mapping):
            node = node.get(part)
        elif isinstance(node, list) and re.fullmatch("-?[0-9]+", part):
            index = int(part)
            node = node[index] if -len(node) <= index < len(node) else None
        else:
            return None
    return node


def jwt_claims(token: str) -> dict[str, Any] | None:
    """The claims of a JWT without verifying anything; None when the text is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        text = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        claims = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _lifetime_s(document: object) -> float | None:
    """`expires_in` of a token response; None without one that is a number of seconds."""
    value = document.get("expires_in") if isinstance(document, Mapping) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e9:
        return None
    return float(value)


def _fill(value: object, fields: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return re.sub(r"\{([^{}]*)\}", lambda match: fields[match[1]], value)
    if isinstance(value, Mapping):
        return {key: _fill(item, fields) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, fields) for item in value]
    return value


def _variable_name(text: str) -> str:
    """The text as a part of a shell variable's name: ASCII capitals, digits, underscores."""
    return re.sub(r"[^A-Z0-9]", "_", text.upper())
