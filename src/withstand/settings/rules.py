"""What no single key can tell: the rules between keys. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from withstand.errors import UsageError
from withstand.openapi.given_values import is_operation
from withstand.settings.effective import IDENTITY_KEYS, identity_of, recipe_of, target_of_url
from withstand.settings.forms import (
    ACCESS_WORDS,
    FORMS,
    AccessKey,
    HeaderTemplate,
    OperationPattern,
    Unfit,
    suggestion,
)
from withstand.settings.sources import Problem
from withstand.settings.tables import LoginTable, SettingsFile
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
    if login.json is None and login.form is None:
        yield Problem(
            path=("login",),
            message='has no body; add json = { email = "{email}", password = "{password}" } '
            "or form = { … }",
        )


def _identities(tables: SettingsFile) -> Iterator[Problem]:
    for name, keys in tables.identities.items():
        path = ("identities", name)
        if "role" not in keys:
            hint = next((hint for key in keys if (hint := suggestion(key, ("role",)))), "")
            yield Problem(path=(*path, "role"), message=f"is missing{hint}")
        for key in ("role", "token"):
            if not keys.get(key, "set").strip():
                yield Problem(path=(*path, key), message="is empty")
        header = keys.get("header")
        if header is None:
            continue
        if "token" not in keys:
            yield Problem(
                path=(*path, "header"), message="says how to send a token that is not given"
            )
        if not _HEADER_NAME.fullmatch(header):
            yield from _unfit(HeaderTemplate, header, (*path, "header"))


def _placeholders(tables: SettingsFile) -> Iterator[Problem]:
    for name, keys in tables.identities.items():
        if "token" in keys:
            continue
        if tables.login is None:
            yield Problem(
                path=("identities", name),
                message="cannot log in; add a [login], or give it a token",
            )
            continue
        fields = tuple(key for key in keys if key not in IDENTITY_KEYS)
        for field in _missing_fields(name, keys, tables.login):
            yield Problem(
                path=("identities", name, field),
                message=f"is missing: the login asks for {{{field}}}{suggestion(field, fields)}",
            )


def _missing_fields(name: str, keys: Mapping[str, str], login: LoginTable) -> list[str]:
    identity = identity_of(name, {"role": "", **keys}, send_as=login.send_as)
    fields = _Asked(identity.fields)
    # Filling the placeholders is the recipe's own business: let it, and see what it asked for.
    recipe_of(login).request(replace(identity, fields=fields))
    return fields.missing


class _Asked(dict[str, str]):
    """Fields that remember which of them were asked for in vain."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(fields)
        self.missing: list[str] = []

    def __missing__(self, key: str) -> str:
        if key not in self.missing:
            self.missing.append(key)
        return ""


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
