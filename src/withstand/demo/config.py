"""The withstand.toml that fits the demo."""

import json
from pathlib import Path

from withstand.demo.seed import ALICE, BOB, ROOT, Identity

_TEMPLATE = """\
# What `withstand` needs to know about the bundled demo API. Yours needs little more.

[target]
base_url = {base_url}
openapi  = "/openapi.json"    # a path on the target, a file or a URL
{tls}
[login]                       # how an identity below gets its token
request = "POST /auth/token"
json    = {{ email = "{{email}}", password = "{{password}}" }}
token   = "$.access_token"
send_as = "Authorization: Bearer {{token}}"
short_lived = {{ expires_in = 1 }}    # merged into the login's JSON: a token that soon expires
leeway  = "0s"                      # how long the server honours a token after its expiry

[identities]                  # two equals and a superior, to try each other's doors
{identities}

[access]                      # what the document's `security` does not say
"GET /admin/users/{{id}}" = ["admin"]
"DELETE /admin/users/{{id}}" = ["admin"]
public = [
    "GET /health",
    "POST /auth/token",
    "POST /auth/login",
    "POST /users",
    "GET /products",
    "GET /products/{{sku}}",
    "GET /products/{{sku}}/label",
    "GET /manuals",
]
never = []                    # operations that must not be called

[slo]                         # "*" holds for every operation
"*" = ["p95<250ms", "errors<3%"]

[security]
fail_on = "medium"            # findings from this severity up fail the run
cors_origins = ["https://app.example.com"]
limits = {{ "POST /auth/login" = "10 failures", "POST /auth/token" = "10 failures" }}
private = ["/orders/{{id}}"]    # only the owner (and an admin) may read these
"""


def render(
    *,
    port: int = 8000,
    https: bool = False,
    http_port: int | None = None,
    ca_file: str | Path | None = None,
) -> str:
    """The text of a withstand.toml for the demo on this port.

    With `https`, `http_port` is where plain HTTP listens (None: the port after `port`), and
    `ca_file` the certificate authority that the server wrote (None leaves it out).
    """
    tls = ""
    if https:
        plain_url = f"http://127.0.0.1:{http_port if http_port is not None else port + 1}"
        tls = f"plain_url = {_quoted(plain_url)}    # must redirect to HTTPS\n"
        if ca_file is not None:
            tls = f"ca_file  = {_quoted(str(ca_file))}    # signed the certificate\n" + tls
    return _TEMPLATE.format(
        base_url=_quoted(f"{'https' if https else 'http'}://127.0.0.1:{port}"),
        tls=tls,
        identities="\n".join(_identity(identity) for identity in (ALICE, BOB, ROOT)),
    )


def _identity(identity: Identity) -> str:
    return (
        f"{identity.name} = {{ role = {_quoted(identity.role)}, "
        f"email = {_quoted(identity.email)}, password = {_quoted(identity.password)} }}"
    )


def _quoted(text: str) -> str:
    # JSON's strings are TOML's basic strings, but for DEL, which has no place in either.
    return json.dumps(text)
