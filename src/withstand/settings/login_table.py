"""The shape of [login] in withstand.toml: each key with its meaning and its form."""

from typing import Any

import attrs

from withstand.settings.forms import (
    CanaryRequest,
    HeaderTemplate,
    Leeway,
    LoginRequest,
    Payload,
    TokenPath,
)
from withstand.settings.login_forms import ClientAuthentication, Grant


def _doc(meaning: str) -> dict[str, Any]:
    return {"doc": meaning}


@attrs.frozen(kw_only=True)
class LoginTable:
    """How an identity gets its credential; what the document says by itself may be left out."""

    request: LoginRequest | None = attrs.field(
        default=None,
        metadata=_doc("Method and path of the login."),
    )
    json: Payload | None = attrs.field(
        default=None,
        metadata=_doc("JSON body; {name} stands for the identity's field."),
    )
    form: Payload | None = attrs.field(
        default=None,
        metadata=_doc("Form body, in place of json; {name} as there."),
    )
    token: TokenPath | None = attrs.field(
        default=None,
        metadata=_doc(
            "Where the token is in the response: $.access_token in its JSON, header "
            "X-Auth-Token, or cookies for a session; without it, wherever it is found."
        ),
    )
    send_as: HeaderTemplate | None = attrs.field(
        default=None,
        metadata=_doc(
            "Header line or query parameter that carries the token; without it as the "
            "document says, else Authorization: Bearer {token}."
        ),
    )
    basic: bool = attrs.field(
        default=False,
        metadata=_doc(
            "Whether name and password go with every request (HTTP basic), without a login."
        ),
    )
    grant: Grant | None = attrs.field(
        default=None,
        metadata=_doc("Grant of OAuth2, in place of a body: password or client_credentials."),
    )
    client_id: str | None = attrs.field(
        default=None,
        metadata=_doc("The OAuth2 client; an identity may have its own."),
    )
    client_secret: str | None = attrs.field(
        default=None,
        metadata=_doc("The secret of the OAuth2 client."),
    )
    client_auth: ClientAuthentication = attrs.field(
        default=ClientAuthentication("basic"),
        metadata=_doc("Whether the client's id and secret go in HTTP basic or in the body."),
    )
    csrf_page: str | None = attrs.field(
        default=None,
        metadata=_doc(
            "Path that gives the token against forged requests, in a cookie, a form or "
            "JSON; without it the login's own path is asked when the login is refused."
        ),
    )
    csrf_header: str | None = attrs.field(
        default=None,
        metadata=_doc(
            "Header that repeats this token; without it the one that its framework expects."
        ),
    )
    wfc: str | None = attrs.field(
        default=None,
        metadata=_doc(
            "Authentication file of the Web Fuzzing Commons: logins and fixed headers by name."
        ),
    )
    canary: CanaryRequest | None = attrs.field(
        default=None,
        metadata=_doc(
            "Read that works only for who is logged in, by GET or POST; without it one is found."
        ),
    )
    provision: str | None = attrs.field(
        default=None,
        metadata=_doc(
            "Command, or module:function, that makes a user for the scan to spoil and "
            "prints, or returns, its fields as JSON; without it users are signed up."
        ),
    )
    deprovision: str | None = attrs.field(
        default=None,
        metadata=_doc(
            "Command, or module:function, that removes such a user; it gets its fields as JSON."
        ),
    )
    short_lived: Payload | None = attrs.field(
        default=None,
        metadata=_doc("Merged into the body to get a token that expires at once."),
    )
    leeway: Leeway = attrs.field(
        default=Leeway(60_000_000_000),
        metadata=_doc("Clock skew that the API tolerates after a token's expiry."),
    )
    expired_token: str | None = attrs.field(
        default=None,
        metadata=_doc("A token that has expired, when none can be asked for."),
    )
