"""Authentication files of the Web Fuzzing Commons (WFC): their users as identities. Pure.

The schema: https://github.com/WebFuzzing/Commons/blob/master/src/main/resources/wfc/schemas/auth.yaml
Both ways of saying where the token goes are read, the present one (`extractFrom`, `sendIn` …) and
that of files before 2025 (`extractFromField`, `httpHeaderName` …). Its users have to be there: what
would create them first is not read, and said not to be.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from withstand.client.credential import Credential
from withstand.client.exchange import Headers
from withstand.client.identity import Identity
from withstand.client.login_recipe import COOKIES, LoginRecipe
from withstand.errors import UsageError

_CREATES: Final = re.compile(r"sign[-_]?up|regist(?:er|ration)|create[-_]?user", re.IGNORECASE)
_FORM: Final = "application/x-www-form-urlencoded"


def wfc_identities(
    document: Any, *, source: str, origin: str | None = None
) -> tuple[Identity, ...]:
    """The users of a WFC file, each with a login or a credential of its own; the role is the name.

    `origin` is the target's scheme, host and port, where a login elsewhere may not go. Raises
    UsageError naming what the file lacks.
    """
    users = document.get("auth") if isinstance(document, Mapping) else None
    if not isinstance(users, list):
        raise UsageError(
            f"{source} has no list `auth`",
            hint="write its users as the Web Fuzzing Commons have them: auth: [{name: …}]",
        )
    template = document.get("authTemplate")
    _refuse_creation(document, source)
    found = []
    for at, entry in enumerate(users):
        if not isinstance(entry, Mapping):
            raise UsageError(f"{source}: auth[{at}] is no mapping", hint="give it a name")
        found.append(_identity(_merged(template, entry), f"{source}: auth[{at}]", origin))
    return tuple(found)


def _identity(entry: Mapping[str, Any], where: str, origin: str | None) -> Identity:
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise UsageError(f"{where} has no name", hint="name each user of the file")
    fixed = _headers(entry.get("fixedHeaders"), where)
    login = entry.get("loginEndpointAuth")
    for part in (entry, login):
        _refuse_creation(part, f"{where} ({name})")
    if isinstance(login, Mapping):
        recipe, fields = _recipe(login, f"{where} ({name})", fixed, origin)
        return Identity(name=name, role=name, fields=fields, login=recipe)
    if not fixed:
        raise UsageError(
            f"{where} ({name}) has neither fixedHeaders nor loginEndpointAuth",
            hint="say how this user logs in",
        )
    return Identity(name=name, role=name, credential=_fixed(fixed))


def _refuse_creation(node: Any, where: str) -> None:
    parts = node.items() if isinstance(node, Mapping) else ()
    unread = next((str(key) for key, part in parts if part and _CREATES.search(str(key))), None)
    if unread is not None:
        raise UsageError(
            f"{where} has {unread}, which is not read: the users of the file have to exist",
            hint="create them before, and take it out; users that may be spoiled come from "
            "provision under [login]",
        )


def _fixed(headers: Headers) -> Credential:
    """A credential that never changes; its token is the last word of its most telling header."""
    names = [name.lower() for name, _ in headers]
    at = names.index("authorization") if "authorization" in names else 0
    words = headers[at][1].split()
    return Credential(headers=headers, token=words[-1] if words else None)


def _recipe(
    login: Mapping[str, Any], where: str, fixed: Headers, origin: str | None
) -> tuple[LoginRecipe, dict[str, str]]:
    method = login.get("verb")
    if not isinstance(method, str):
        raise UsageError(f"{where} has no verb", hint="add verb: POST to its loginEndpointAuth")
    headers = _headers(login.get("headers"), where)
    payload, encoding, fields = _payload(login, where)
    token = login.get("token")
    if login.get("expectCookies") is True and not isinstance(token, Mapping):
        place, send_as = COOKIES, None
    elif isinstance(token, Mapping):
        place, send_as = _place(token, where), _template(token)
    else:
        raise UsageError(
            f"{where} says neither token nor expectCookies",
            hint="say how what the login gives is used",
        )
    recipe = LoginRecipe(
        method=method.upper(),
        path=_path(login, where, origin),
        payload=payload,
        encoding=encoding,
        token_path=place,
        send_as=send_as,
        headers=headers,
        also_sent=fixed,
    )
    secret = {f"header_{name}_token": value for name, value in headers}
    return recipe, {**fields, **secret}


def _path(login: Mapping[str, Any], where: str, origin: str | None) -> str:
    endpoint, external = login.get("endpoint"), login.get("externalEndpointURL")
    if isinstance(endpoint, str) and endpoint.startswith("/"):
        return endpoint
    if isinstance(external, str):
        parts = urlsplit(external)
        if origin is not None and f"{parts.scheme}://{parts.netloc}" == origin:
            return parts.path or "/"
        raise UsageError(
            f"{where} logs in at {parts.scheme}://{parts.netloc}, and requests go to the target "
            "alone",
            hint="get a token there and give it as token under [identities]",
        )
    raise UsageError(f"{where} has no endpoint", hint="add endpoint: /login")


def _payload(
    login: Mapping[str, Any], where: str
) -> tuple[Mapping[str, object] | str, str, dict[str, str]]:
    """The body, how it is encoded, and what in it is secret, as fields of the identity."""
    content_type = str(login.get("contentType") or "application/json")
    raw, pair = login.get("payloadRaw"), login.get("payloadUserPwd")
    if isinstance(pair, Mapping):
        keys = ("usernameField", "username", "passwordField", "password")
        missing = [key for key in keys if pair.get(key) is None]
        if missing:
            raise UsageError(
                f"{where} has no {' and no '.join(missing)}", hint="add it to payloadUserPwd"
            )
        names = {str(pair["usernameField"]): "{username}", str(pair["passwordField"]): "{password}"}
        fields = {"username": str(pair["username"]), "password": str(pair["password"])}
        return names, "form" if _FORM in content_type else "json", fields
    if isinstance(raw, str):
        return raw, content_type, _secrets_of(raw)
    return "", content_type, {}


def _secrets_of(raw: str) -> dict[str, str]:
    """The values in a raw body, JSON or form, so that none of them is ever shown."""
    try:
        document = json.loads(raw)
    except ValueError:
        document = {name: value for name, _, value in (p.partition("=") for p in raw.split("&"))}
    if not isinstance(document, Mapping):
        return {}
    return {str(name): str(text) for name, text in document.items() if isinstance(text, str | int)}


def _place(token: Mapping[str, Any], where: str) -> str:
    selector = token.get("extractSelector")
    if isinstance(selector, str):
        if token.get("extractFrom") == "header":
            return f"header {selector}"
        return _json_path(selector)
    field, header = token.get("extractFromField"), token.get("extractFromHeader")
    if isinstance(field, str):
        return _json_path(field)
    if isinstance(header, str):
        return f"header {header}"
    raise UsageError(
        f"{where} does not say where its token is", hint="add extractFrom and extractSelector"
    )


def _json_path(pointer: str) -> str:
    """A JSON pointer (RFC 6901) as a JSON path."""
    parts = pointer.strip("/").split("/")
    return "$." + ".".join(part.replace("~1", "/").replace("~0", "~") for part in parts)


def _template(token: Mapping[str, Any]) -> str:
    name = token.get("sendName")
    if isinstance(name, str):
        value = str(token.get("sendTemplate") or "{token}")
        return f"?{name}={value}" if token.get("sendIn") == "query" else f"{name}: {value}"
    prefix, postfix = token.get("headerPrefix") or "", token.get("headerPostfix") or ""
    return f"{token.get('httpHeaderName') or 'Authorization'}: {prefix}{{token}}{postfix}"


def _headers(node: Any, where: str) -> Headers:
    found = []
    for header in node if isinstance(node, list) else ():
        parts = header if isinstance(header, Mapping) else {}
        name, value = parts.get("name"), parts.get("value")
        if not isinstance(name, str) or value is None:
            raise UsageError(f"{where} has a header without name or value", hint="give it both")
        found.append((name, str(value)))
    return tuple(found)


def _merged(template: Any, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The entry with what only the template says, at every depth."""
    if not isinstance(template, Mapping):
        return entry
    return {
        key: _merged(template.get(key), entry[key])
        if isinstance(entry.get(key), Mapping)
        else entry.get(key, template.get(key))
        for key in template.keys() | entry.keys()
    }
