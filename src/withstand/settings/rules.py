"""What no single key can tell: the rules between keys. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from withstand.client.documented import NOTHING_DOCUMENTED
from withstand.client.field_names import is_password, names_user
from withstand.client.login_fields import aliased, placeholders
from withstand.errors import UsageError
from withstand.openapi.given_values import is_operation
from withstand.settings.effective import target_of_url
from withstand.settings.forms import (
    ACCESS_WORDS,
    FORMS,
    AccessKey,
    HeaderTemplate,
    OperationPattern,
    Unfit,
    suggestion,
)
from withstand.settings.people import IDENTITY_KEYS, PLACES, recipe_of
from withstand.settings.sources import Problem
from withstand.settings.tables import SettingsFile
from withstand.slo import parse_objective

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def broken_rules(tables: SettingsFile, unread: frozenset[str]) -> list[Problem]:
    """Every rule that the tables break; rules on a table that could not be read are left out."""
    rules: tuple[tuple[frozenset[str], Callable[[SettingsFile], Iterator[Problem]]], ...] = (
        (frozenset({"target"}), _target),
        (frozenset({"target"}), _certificate),
        (frozenset({"login"}), _login),
        (frozenset({"identities"}), _identities),
        (frozenset({"identities", "login"}), _placeholders),
        (frozenset({"access"}), _access),
        (frozenset({"values"}), _values),
        (frozenset({"slo"}), _objectives),
        (frozenset({"security"}), _suppressions),
        (frozenset({"load"}), _load),
        (frozenset({"security", "identities"}), _races),
        (frozenset({"access", "identities"}), _roles),
    )
    return [problem for needs, rule in rules if not needs & unread for problem in rule(tables)]


def _target(tables: SettingsFile) -> Iterator[Problem]:
    for key in ("base_url", "plain_url"):
        url = getattr(tables.target, key)
        if url is None:
            continue
        try:
            target = target_of_url(url)
        except UsageError as error:
            hint = f"; {error.hint}" if error.hint else ""
            yield Problem(path=("target", key), message=error.message + hint)
        else:
            if key == "plain_url" and target.scheme != "http":
                yield Problem(
                    path=("target", key), message=f"{url!r} is not plain HTTP; it starts http://"
                )


def _certificate(tables: SettingsFile) -> Iterator[Problem]:
    if tables.target.key is not None and tables.target.cert is None:
        yield Problem(path=("target", "key"), message="has no certificate; give cert as well")


def _login(tables: SettingsFile) -> Iterator[Problem]:
    login = tables.login
    if login is None:
        return
    if login.json is not None and login.form is not None:
        yield Problem(path=("login",), message="has both json and form; keep one")
    has_body = login.json is not None or login.form is not None
    if login.request is None and login.grant is None and has_body:
        yield Problem(path=("login", "request"), message="is missing")
    if login.request is not None and login.grant is None and not has_body:
        yield Problem(
            path=("login",),
            message='has no body; add json = { email = "{email}", password = "{password}" } '
            "or form = { … }",
        )
    if login.basic and (login.request or login.grant or login.token) is not None:
        yield Problem(
            path=("login", "basic"), message="sends the password itself; leave the login out"
        )
    if login.client_secret is not None and login.client_id is None:
        yield Problem(path=("login", "client_secret"), message="has no client_id")
    if login.csrf_page is not None and not login.csrf_page.startswith("/"):
        yield Problem(
            path=("login", "csrf_page"),
            message=f"{login.csrf_page!r} is no path; write it as '/login'",
        )
    if login.deprovision is not None and login.provision is None:
        yield Problem(path=("login", "deprovision"), message="removes what nothing provisions")


def _identities(tables: SettingsFile) -> Iterator[Problem]:
    for name, keys in tables.identities.items():
        path = ("identities", name)
        if "role" not in keys:
            hint = next((hint for key in keys if (hint := suggestion(key, ("role",)))), "")
            yield Problem(path=(*path, "role"), message=f"is missing{hint}")
        for key in ("role", "token"):
            if not keys.get(key, "set").strip():
                yield Problem(path=(*path, key), message="is empty")
        given = [key for key in PLACES if key in keys]
        for key in given:
            if "token" not in keys:
                yield Problem(
                    path=(*path, key), message="says how to send a token that is not given"
                )
        if len(given) > 1:
            yield Problem(path=path, message=f"has {' and '.join(given)}; keep one")
        header = keys.get("header")
        if header is not None and (header.startswith("?") or not _HEADER_NAME.fullmatch(header)):
            yield from _unfit(HeaderTemplate, header.lstrip("?"), (*path, "header"))


def _placeholders(tables: SettingsFile) -> Iterator[Problem]:
    login = tables.login
    try:
        recipe = recipe_of(login, NOTHING_DOCUMENTED)
    except UsageError:  # only the document knows the address
        recipe = None
    for name, keys in tables.identities.items():
        if "token" in keys or (login is not None and login.wfc is not None):
            continue
        fields = {key: value for key, value in keys.items() if key not in IDENTITY_KEYS}
        if login is not None:
            for key in ("client_id", "client_secret"):
                fields.setdefault(key, getattr(login, key) or "")
        if recipe is None:
            if not any(is_password(key) or key == "client_secret" for key in keys):
                yield Problem(
                    path=("identities", name),
                    message="cannot log in; add a [login], or give it a token",
                )
            elif login is not None and login.basic and not any(map(names_user, keys)):
                yield Problem(
                    path=("identities", name, "username"),
                    message="is missing: HTTP basic sends it with the password",
                )
            continue
        known = aliased({key: value for key, value in fields.items() if value}, recipe)
        for field in dict.fromkeys(placeholders(recipe)):
            if field not in known:
                hint = suggestion(field, tuple(fields))
                yield Problem(
                    path=("identities", name, field),
                    message=f"is missing: the login asks for {{{field}}}{hint}",
                )


def _access(tables: SettingsFile) -> Iterator[Problem]:
    for word in ACCESS_WORDS:
        for at, key in enumerate(tables.access.get(AccessKey(word), ())):
            yield from _unfit(OperationPattern, key, ("access", word, at))


def _values(tables: SettingsFile) -> Iterator[Problem]:
    for key, value in tables.values.items():
        if is_operation(key) and not isinstance(value, Mapping):
            yield Problem(
                path=("values", key),
                message=f'expected a table of inputs like {{ sku = "SKU-001" }}, got {value!r}',
            )


def _objectives(tables: SettingsFile) -> Iterator[Problem]:
    for operation, texts in tables.slo.items():
        for at, text in enumerate(texts):
            try:
                parse_objective(text, operation=operation)
            except UsageError as error:
                # Its further lines point at the character, which only a terminal's column can.
                summary = error.message.splitlines()[0]
                yield Problem(
                    path=("slo", operation, at), message=f"{text!r}: {summary}; {error.hint}"
                )


def _suppressions(tables: SettingsFile) -> Iterator[Problem]:
    for at, item in enumerate(tables.security.suppress):
        if item.check is None and item.fingerprint is None:
            yield Problem(
                path=("security", "suppress", at),
                message="says of no finding that it is accepted; give check or fingerprint",
            )


def _load(tables: SettingsFile) -> Iterator[Problem]:
    load = tables.load
    shapes = {
        "users (closed model)": load.users,
        "rate (open model)": load.rate,
        "stages": load.stages,
    }
    given = [name for name, value in shapes.items() if value is not None]
    if len(given) > 1:
        count = "both " if len(given) == 2 else ""
        yield Problem(path=("load",), message=f"has {count}{' and '.join(given)}; keep one")
    if load.stages is not None and load.run_time is not None:
        yield Problem(
            path=("load", "run_time"), message="is the sum of the stages' durations; leave it out"
        )
    if load.think_time is not None and load.pacing is not None:
        yield Problem(path=("load",), message="has both think_time and pacing; keep one")


def _races(tables: SettingsFile) -> Iterator[Problem]:
    names = tuple(tables.identities)
    for key, race in tables.security.races.items():
        path = ("security", "races", key)
        reads = (race.read, race.value)
        bounded = race.least is not None or race.most is not None
        if race.at_most is None and race.read is None:
            yield Problem(
                path=path, message="says nothing that must hold; add at_most = 1, or read and value"
            )
        if any(part is None for part in reads) and (any(reads) or bounded):
            yield Problem(
                path=path,
                message='has only a part of what is read; give all: read = "GET /wallet", '
                'value = "$.balance", least = 0',
            )
        elif race.read is not None and not bounded:
            yield Problem(path=path, message="reads a number that may be any; add least or most")
        for name, who in (("identity", race.identity), ("prepare_as", race.prepare_as)):
            if who is not None and who not in names:
                hint = suggestion(who, names)
                yield Problem(path=(*path, name), message=f"there is no identity {who!r}{hint}")


def _roles(tables: SettingsFile) -> Iterator[Problem]:
    roles = tuple(
        dict.fromkeys(keys["role"] for keys in tables.identities.values() if "role" in keys)
    )
    for key, allowed in tables.access.items():
        for at, role in enumerate(allowed):
            # A role that nobody has cannot be tested, which is no mistake; a near miss is one.
            if key not in ACCESS_WORDS and role not in roles:
                hint = suggestion(role, roles, cutoff=0.75)
                if hint:
                    message = f"no identity has the role {role!r}{hint}"
                    yield Problem(path=("access", key, at), message=message)


def _unfit(form: Any, value: object, path: tuple[str | int, ...]) -> Iterator[Problem]:
    try:
        FORMS[form].read(value)
    except Unfit as error:
        yield Problem(path=path, message=str(error))
