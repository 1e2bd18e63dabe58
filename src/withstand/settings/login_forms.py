"""The forms of what [login] says: requests, places of a token, bodies. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final, NewType

from withstand.settings.form import METHODS, Form, Unfit, kind, require_json, suggestion, text

LoginRequest = NewType("LoginRequest", str)
"""Method and path of one request, without wildcards."""
CanaryRequest = NewType("CanaryRequest", str)
"""GET and a path."""
HeaderTemplate = NewType("HeaderTemplate", str)
"""A header line, or a query parameter after `?`, with `{token}` in it."""
TokenPath = NewType("TokenPath", str)
"""A simple JSON path into the login response, `header` and a name, or the word cookies."""
Grant = NewType("Grant", str)
"""A grant of OAuth2 by which a program gets a token without a browser."""
ClientAuthentication = NewType("ClientAuthentication", str)
"""How an OAuth2 client says who it is."""
Payload = NewType("Payload", dict[str, object])
"""Anything that JSON can say."""

GRANTS: Final = ("password", "client_credentials")
CLIENT_AUTHENTICATIONS: Final = ("basic", "body")
METHOD_PATTERN: Final = "|".join(METHODS)
_REQUEST: Final = rf"^({METHOD_PATTERN}) /[^\s*]*$"
_CANARY: Final = r"^(GET|POST) /[^\s*{}]*$"
_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TEMPLATE: Final = rf"^({_NAME}:|\?[^=&\s]+=).*\{{token\}}.*$"
_TOKEN_PATH: Final = rf"^(\$([.\[]\S*)?|header {_NAME}|cookies)$"


def _login_request(value: object) -> LoginRequest:
    request = text(value)
    if not re.match(_REQUEST, request):
        method = request.partition(" ")[0].upper()
        hint = "" if method in METHODS else suggestion(method, METHODS)
        raise Unfit(f"{request!r} is no request; write it as 'POST /auth/token'{hint}")
    return LoginRequest(request)


def _header_template(value: object) -> HeaderTemplate:
    header = text(value)
    if "\n" in header or "\r" in header or not re.match(_TEMPLATE, header):
        query = " or '?api_key={token}'" if header.startswith("?") else ""
        raise Unfit(
            f"{header!r} is no header line; write it as 'Authorization: Bearer {{token}}'{query}"
        )
    return HeaderTemplate(header)


def _token_path(value: object) -> TokenPath:
    path = text(value)
    if not re.match(_TOKEN_PATH, path):
        raise Unfit(
            f"{path!r} is no JSON path; write it as '$.access_token', 'header X-Auth-Token' or "
            "'cookies'"
        )
    return TokenPath(path)


def _payload(value: object) -> Payload:
    if not isinstance(value, Mapping):
        raise Unfit(f'expected a table like {{ email = "{{email}}" }}, got {kind(value)}')
    require_json(value)
    return Payload(dict(value))


def _canary(value: object) -> CanaryRequest:
    request = text(value)
    if not re.match(_CANARY, request):
        raise Unfit(
            f"{request!r} is no read without parameters; write it as 'GET /me', or 'POST /whoAmI'"
        )
    return CanaryRequest(request)


def _one_of(words: tuple[str, ...]) -> Form:
    def read(value: object) -> str:
        name = text(value)
        if name not in words:
            wanted = ", ".join(words)
            raise Unfit(f"expected one of {wanted}, got {name!r}{suggestion(name, words)}")
        return name

    return Form(read=read, schema={"enum": list(words)})


LOGIN_FORMS: Final[Mapping[Any, Form]] = {
    LoginRequest: Form(read=_login_request, schema={"type": "string", "pattern": _REQUEST}),
    CanaryRequest: Form(read=_canary, schema={"type": "string", "pattern": _CANARY}),
    HeaderTemplate: Form(read=_header_template, schema={"type": "string", "pattern": _TEMPLATE}),
    TokenPath: Form(read=_token_path, schema={"type": "string", "pattern": _TOKEN_PATH}),
    Grant: _one_of(GRANTS),
    ClientAuthentication: _one_of(CLIENT_AUTHENTICATIONS),
    Payload: Form(read=_payload, schema={"type": "object"}),
}
