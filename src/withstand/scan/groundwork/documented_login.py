"""What an OpenAPI document says of logging in: then only values need configuring. Pure."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from withstand.client.documented import Documented
from withstand.client.field_names import is_password, names_user
from withstand.client.login_recipe import LoginRecipe
from withstand.openapi.body_encoding import best_body
from withstand.openapi.body_pointer import parts_of
from withstand.openapi.operation import Api, Operation
from withstand.openapi.request_builder import RequestBuilder, Slot
from withstand.scan.access.accounts import looks_like_login

_PREFIX: Final = re.compile(
    r"""(?i)prefix(?:ed)?(?: with)?[^A-Za-z"'`]*["'`](\w+)|["'`<](bearer|token|jwt|apikey)\b"""
    r"|\b(bearer|token|jwt|apikey) *[<{\[]"
)
"""`Token-based authentication with required prefix "Token"`, `"Bearer <token>"`."""


def documented_login(api: Api) -> Documented:
    """What the document's security schemes and its login operation say."""
    scheme = _scheme(api)
    kind = str(scheme.get("scheme", "")).lower() if scheme.get("type") == "http" else ""
    grants = {
        grant: path
        for each in api.security_schemes.values()
        for grant, path in _token_paths(api, each).items()
    }
    return Documented(
        send_as=_template(scheme, kind),
        basic=kind == "basic",
        recipe=_login(api),
        grants=grants,
        json_types={
            operation.key: media_type
            for operation in api.operations
            if (media_type := _json_type(operation))
        },
    )


def _scheme(api: Api) -> Mapping[str, Any]:
    """The scheme that most operations ask for; the only or first one where none asks."""
    uses = Counter(
        name
        for operation in api.operations
        for alternative in operation.security[:1]
        for name in alternative
    )
    known = [name for name, _ in uses.most_common() if name in api.security_schemes]
    known += list(api.security_schemes)
    return api.security_schemes[known[0]] if known else {}


def _template(scheme: Mapping[str, Any], kind: str) -> str | None:
    name = scheme.get("name")
    match scheme.get("type"), scheme.get("in"):
        case "http", _:
            if kind in {"", "basic"}:
                return None
            return (
                "Authorization: Bearer {token}"
                if kind == "bearer"
                else (f"Authorization: {str(scheme['scheme']).capitalize()} {{token}}")
            )
        case "apiKey", "header" if isinstance(name, str):
            return f"{name}: {_prefix(name, str(scheme.get('description', '')))}{{token}}"
        case "apiKey", "query" if isinstance(name, str):
            return f"?{name}={{token}}"
        case "apiKey", "cookie" if isinstance(name, str):
            return f"Cookie: {name}={{token}}"
        case (("oauth2" | "openIdConnect"), _):
            return "Authorization: Bearer {token}"
    return None


def _prefix(header: str, description: str) -> str:
    """The word before the token, which only the description of an API key can tell."""
    if header.lower() != "authorization":
        return ""
    found = _PREFIX.search(description)
    word = next((part for part in found.groups() if part), "") if found else ""
    # Swagger 2.0 has no bearer tokens: who documents them there calls them API keys.
    return f"{word} " if word else "Bearer "


def _token_paths(api: Api, scheme: Mapping[str, Any]) -> Mapping[str, str]:
    """Grant → path of its token endpoint, below the base URL."""
    if scheme.get("type") != "oauth2":
        return {}
    flows = scheme.get("flows")
    if isinstance(flows, Mapping):
        urls = {
            grant: flow.get("tokenUrl")
            for grant, name in (
                ("password", "password"),
                ("client_credentials", "clientCredentials"),
            )
            if isinstance(flow := flows.get(name), Mapping)
        }
    else:  # Swagger 2.0
        flow = {"password": "password", "application": "client_credentials"}
        urls = {flow.get(str(scheme.get("flow")), ""): scheme.get("tokenUrl")}
    return {
        grant: _below_base(api, url)
        for grant, url in urls.items()
        if grant and isinstance(url, str)
    }


def _below_base(api: Api, url: str) -> str:
    """The path of a token endpoint as the document's own paths are written."""
    path = "/" + urlsplit(url).path.lstrip("./")
    own = [op.path for op in api.operations if path == op.path or path.endswith(op.path)]
    if own:
        return max(own, key=len)
    for server in api.servers:
        base = urlsplit(server).path.rstrip("/")
        if base and path.startswith(f"{base}/"):
            return path.removeprefix(base)
    return path


def _login(api: Api) -> LoginRecipe | None:
    """The login operation of the document, its body filled from an identity's fields."""
    builder = RequestBuilder(api, nonce=lambda: "ws" + 24 * "0")
    for operation in api.operations:
        if looks_like_login(operation, builder):
            return _recipe(operation, builder)
    return None


def _recipe(operation: Operation, builder: RequestBuilder) -> LoginRecipe:
    payload: dict[str, Any] = {}
    for slot in builder.slots(operation):
        if slot.location != "body":
            continue
        name = slot.name.rsplit(".", 1)[-1]
        if is_password(name) or names_user(name):
            _put(payload, parts_of(slot.name), f"{{{name}}}")
        elif (fixed := _fixed(slot)) is not None:
            _put(payload, parts_of(slot.name), fixed)
    body = best_body(operation.bodies)
    is_form = body is not None and "form" in body.media_type
    return LoginRecipe(
        method=operation.method,
        path=operation.path,
        payload=payload,
        encoding="form" if is_form else _json_type(operation) or "json",
        token_path=None,
        send_as=None,
    )


def _json_type(operation: Operation) -> str | None:
    """The media type of a JSON body, where it is a more special one than `application/json`: what
    speaks JSON:API refuses any other (415).
    """
    body = best_body(operation.bodies)
    return body.media_type if body is not None and "+json" in body.media_type else None


def _fixed(slot: Slot) -> object | None:
    """What a login always holds, `grant_type=password`; None where the document does not say."""
    if slot.name == "grant_type":
        return "password"
    if "const" in slot.schema:
        found: object = slot.schema["const"]
        return found
    options = slot.schema.get("enum")
    return options[0] if isinstance(options, list) and len(options) == 1 else None


def _put(payload: dict[str, Any], parts: tuple[str, ...], value: object) -> None:
    for part in parts[:-1]:
        payload = payload.setdefault(part, {})
    payload[parts[-1]] = value
