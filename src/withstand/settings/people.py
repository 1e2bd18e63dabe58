"""[login] and [identities] in the nouns of the client: recipes and identities."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from withstand.client.credential import basic_credential, sent_as
from withstand.client.documented import CLIENT, Documented
from withstand.client.field_names import is_password, names_user
from withstand.client.identity import Identity
from withstand.client.login_fields import aliased
from withstand.client.login_recipe import Csrf, LoginRecipe
from withstand.client.token_place import BEARER
from withstand.errors import UsageError

if TYPE_CHECKING:
    from withstand.settings.login_table import LoginTable
    from withstand.settings.tables import SettingsFile

IDENTITY_KEYS: Final = ("role", "token", "header", "cookie", "query")
"""Keys of an identity that have a meaning of their own; all others are its fields."""

PLACES: Final = ("header", "cookie", "query")
_NS_PER_S: Final = 1_000_000_000


def recipe_of(table: "LoginTable | None", documented: Documented) -> LoginRecipe | None:
    """The recipe of [login], with what the document says where it does not; None without a login.

    Raises UsageError where neither says to which address the login goes.
    """
    if table is None:
        recipe = documented.recipe or _documented_grant(documented)
        return None if recipe is None else replace(recipe, send_as=documented.send_as)
    if table.basic:
        return None
    send_as = table.send_as or documented.send_as
    base = _of_grant(table, documented) if table.grant is not None else _of_body(table, documented)
    if base is None:
        return None
    guarded = table.csrf_page is not None or table.csrf_header is not None
    return replace(
        base,
        token_path=table.token,
        send_as=send_as,
        csrf=Csrf(page=table.csrf_page or base.path, sent_as=table.csrf_header)
        if guarded
        else None,
        short_lived=table.short_lived,
        leeway_s=table.leeway / _NS_PER_S,
    )


def people_of(
    tables: "SettingsFile", wfc: tuple[Identity, ...], documented: Documented
) -> tuple[Identity, ...]:
    """Everybody, with a credential where none has to be asked for; fields under the names that the
    login uses. Who is known from the file alone has its name as role: nobody's peer.
    """
    table = tables.login
    send_as = (table.send_as if table else None) or documented.send_as or BEARER
    try:
        recipe = recipe_of(table, documented)
    except UsageError:  # it is told where a login is needed
        recipe = None
    known = {identity.name: identity for identity in wfc}
    found = []
    for name, keys in tables.identities.items():
        identity = identity_of(name, keys, send_as=send_as)
        if name in known:
            read = known.pop(name)
            fields = {**read.fields, **identity.fields}
            credential = identity.credential or read.credential
            identity = replace(identity, fields=fields, credential=credential, login=read.login)
        elif identity.credential is None:
            identity = _with_basic(table, documented, recipe, identity)
            identity = _with_client(table, identity)
            if recipe is not None:
                identity = replace(identity, fields=aliased(identity.fields, recipe))
        found.append(identity)
    return (*found, *known.values())


def identity_of(name: str, keys: Mapping[str, str], *, send_as: str) -> Identity:
    """The identity of one entry; `send_as` is the template for its static token, if any."""
    identity = Identity(
        name=name,
        role=keys["role"],
        fields={key: value for key, value in keys.items() if key not in IDENTITY_KEYS},
    )
    token = keys.get("token")
    return identity if token is None else identity.logged_in(sent_as(_place(keys, send_as), token))


def _place(keys: Mapping[str, str], send_as: str) -> str:
    if "cookie" in keys:
        return f"Cookie: {keys['cookie']}={{token}}"
    if "query" in keys:
        return f"?{keys['query']}={{token}}"
    line = keys.get("header", send_as)
    # `header = "X-Api-Key"` sends the bare token
    return line if "{token}" in line else f"{line.rstrip(': ')}: {{token}}"


def _with_basic(
    table: "LoginTable | None",
    documented: Documented,
    recipe: LoginRecipe | None,
    identity: Identity,
) -> Identity:
    wanted = table.basic if table is not None else documented.basic and recipe is None
    user = next((value for name, value in identity.fields.items() if names_user(name)), None)
    password = next((v for name, v in identity.fields.items() if is_password(name)), None)
    if not wanted or user is None or password is None:
        return identity
    return identity.logged_in(basic_credential(user, password))


def _with_client(table: "LoginTable | None", identity: Identity) -> Identity:
    """With the OAuth2 client of [login] where the identity has none of its own."""
    if table is None:
        return identity
    client = {"client_id": table.client_id, "client_secret": table.client_secret}
    given = {name: value for name, value in client.items() if value is not None}
    return replace(identity, fields={**given, **identity.fields}) if given else identity


def _of_grant(table: "LoginTable", documented: Documented) -> LoginRecipe:
    assert table.grant is not None, "the caller saw to it"
    request = table.request or _request_of(documented, table.grant)
    if request is None:
        raise UsageError(
            f"[login] has the grant {table.grant}, and no address where tokens are given: the "
            "document names no tokenUrl for it",
            hint='add request = "POST /oauth/token" under [login]',
        )
    body: dict[str, object] = {"grant_type": table.grant}
    if table.grant == "password":
        body |= {"username": "{username}", "password": "{password}"}
    body |= table.form or table.json or {}
    has_client = table.grant == "client_credentials" or table.client_id is not None
    in_body = table.client_auth == "body"
    if has_client and in_body:
        body |= {"client_id": CLIENT[0], "client_secret": CLIENT[1]}
    method, _, path = request.partition(" ")
    return LoginRecipe(
        method=method,
        path=path,
        payload=body,
        encoding="form" if table.json is None else "json",
        client=CLIENT if has_client and not in_body else None,
    )


def _of_body(table: "LoginTable", documented: Documented) -> LoginRecipe | None:
    if table.request is None:
        return documented.recipe or _documented_grant(documented)
    method, _, path = table.request.partition(" ")
    as_json = table.json is not None
    return LoginRecipe(
        method=method,
        path=path,
        payload=(table.json if as_json else table.form) or {},
        encoding=(documented.json_types or {}).get(table.request, "json") if as_json else "form",
    )


def _documented_grant(documented: Documented) -> LoginRecipe | None:
    """By the password grant of the document, where it has one."""
    request = _request_of(documented, "password")
    if request is None:
        return None
    method, _, path = request.partition(" ")
    return LoginRecipe(
        method=method,
        path=path,
        payload={"grant_type": "password", "username": "{username}", "password": "{password}"},
        encoding="form",
        token_path=None,
        send_as=None,
    )


def _request_of(documented: Documented, grant: str) -> str | None:
    path = (documented.grants or {}).get(grant)
    return None if path is None else f"POST {path}"
