"""What names the configured users, and requests that would do something to one of them (V8). Pure.

The courier asks before it sends anything, whoever made the request: only reads, logins, and what a
user creates for themselves may name somebody who is real.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from withstand.client.credential import Credential, jwt_claims
from withstand.client.exchange import Request
from withstand.client.field_names import names_user
from withstand.client.identity import Identity
from withstand.openapi.acting import ACT_WORDS
from withstand.openapi.naming import (
    CHANGE_WORDS,
    CREATE_WORDS,
    ID_WORDS,
    LIST_WORDS,
    READ_WORDS,
    REMOVE_WORDS,
    is_plural,
    names_several,
    noun,
    words,
    words_of_call,
)
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import parameter_in, segments
from withstand.scan.answers.profile import Profile

_PEOPLE: Final = frozenset(
    {"user", "member", "customer", "employee", "staff", "person", "people", "profile", "admin"}
)
_SOMEBODY: Final = frozenset({"user", "member", "customer", "person"})
"""Who is picked by a name without more; `admin: 1` is a right and no person."""
_NAMES: Final = ID_WORDS | {"sub", "upn", "username", "login", "handle", "email", "mail"}
"""Last words of what names somebody in a profile, in the claims of a token, in a configuration."""
_CALLS: Final = frozenset({"action", "act", "op", "cmd", "method", "function"})
"""What says in an input which call it is: `{"action": "banUser"}`."""
_SAFE: Final = frozenset({"HEAD", "OPTIONS", "TRACE"})
_LOGINS: Final = ("login", "signin", "token", "session", "authenticate")
_ASK: Final = READ_WORDS | LIST_WORDS | {"search", "query", "filter"}
ACTS: Final = (
    ACT_WORDS
    | REMOVE_WORDS
    | CHANGE_WORDS
    | {"close", "archive", "block", "ban", "lock", "pay", "refund", "transfer", "toggle", "set"}
    | {"merge", "finalise", "finalize", "ship", "promote", "demote", "unsubscribe"}
)
"""Verbs of what is done to something that is there, by whatever method it is asked for."""
_FRAMES: Final = frozenset(
    {"params", "arguments", "args", "data", "payload", "attributes", "input"}
)
"""Under what all inputs of a call stand, or all that is said of a thing."""
_UNMISTAKABLE: Final = 16  # characters from which on letters with digits name just one thing


class RealUsers:
    """Grows while they log in. `login_paths` are where their names and passwords belong."""

    def __init__(self, login_paths: frozenset[str] = frozenset()) -> None:
        self._login_paths = login_paths
        self._names: dict[str, str] = {}  # what names somebody → the identity
        self._people: set[str] = set()
        self._roles: set[str] = set()  # what they may be called: `{"playerId": 1}`
        self._harms: list[Callable[[Request, str | None], bool]] = []

    def keep_from(self, harms: Callable[[Request, str | None], bool]) -> None:
        """From now on a request for which `harms` says so, told who sends it, is not sent."""
        self._harms.append(harms)

    def stay_out_of(self, is_it: Callable[[Request], bool]) -> None:
        """From now on a request of which `is_it` says so is sent by nobody configured."""
        self.keep_from(lambda request, sender: self.is_one(sender) and is_it(request))

    def is_one(self, name: str | None) -> bool:
        """Whether an identity of that name is configured."""
        return name in self._people

    def is_harmful(self, request: Request, sender: str | None) -> bool:
        """Whether a request does something to a configured user, or to what they own, without
        naming them.
        """
        return any(harms(request, sender) for harms in self._harms)

    def know(self, identity: Identity, profile: Profile | None = None) -> None:
        """Takes in what names an identity: its fields, its token's claims, and a profile."""
        self._people.add(identity.name)
        self._roles.add(noun(identity.role))
        claims = jwt_claims((identity.credential or Credential()).token or "") or {}
        for name, value in [*identity.fields.items(), *claims.items(), *(profile or {}).items()]:
            told = isinstance(value, str | int) and not isinstance(value, bool) and value != ""
            if told and _is_name(name):
                self._names.setdefault(str(value).lower(), identity.name)

    def harmed_by(self, request: Request, sender: str | None) -> str | None:
        """The configured user to whom a request may do something; None where it may not.

        `sender` is the identity that sends it, which may create what is its own.
        """
        path = request.operation_path
        if request.method in _SAFE or not self._names or path in self._login_paths:
            return None
        inputs = inputs_of(request)
        said = _said(path, inputs)
        verb = next((word for word in said if word in ACTS | _ASK | {*CREATE_WORDS}), "")
        does = verb in ACTS and (verb == said[-1] or not is_plural(said[-1]))  # no /pay-slips
        if verb in _ASK or (request.method == "GET" and not does):
            return None
        if "".join(said).startswith(_LOGINS):
            return None
        about_people = bool(
            _PEOPLE & {noun(word) for part in segments(path) for word in words(part)}
        )
        creates = _creates(request.method, path, said)
        for name, value, by_place in (*_placed(path), *((n, v, False) for n, v in inputs)):
            who = self._names.get(value.lower())
            by_role = request.method == "POST" and not creates and self._is_role(name)
            named = by_place or by_role or _names_somebody(name, value, about_people)
            if who is None or not named:
                continue
            own = sender == who and request.method in {"PUT", "PATCH"} and not about_people
            if own or (creates and "@" not in value and sender in {None, who}):
                continue  # what they make or change is theirs, and they are not it themselves
            return who
        return None

    def _is_role(self, name: str) -> bool:
        *before, last = words(name)
        return last in ID_WORDS and noun("_".join(before) or "-") in self._roles


def acts(operation: Operation) -> bool:
    """Whether its last word says that it does something to what is there: `GET /orders/refund`."""
    last = [part for part in segments(operation.path) if not parameter_in(part)][-1:]
    return any(word in ACTS for part in last for word in words(part))


def is_of_a_person(name: str) -> bool:
    """Whether an input's name says that it picks a person: `user_id`, `memberId`, `user`."""
    said = [word for word in words(name) if not word.isdigit()] or [name]
    if said[-1] in ID_WORDS:
        return bool(_PEOPLE & {noun(word) for word in said[:-1]})
    return noun(said[-1]) in _SOMEBODY and said[0] not in {"is", "has"}


def _names_somebody(name: str, value: str, about_people: bool) -> bool:
    bare = name.lower() in ID_WORDS
    if is_of_a_person(name) or names_user(name) or (bare and about_people):
        return True
    return _is_unmistakable(value)


def _is_unmistakable(value: str) -> bool:
    """Whether it names one person wherever it stands: `admin` may also be a role or a segment."""
    mixed = any(each.isdigit() for each in value) and not value.isdecimal()
    return "@" in value or (mixed and len(value) >= _UNMISTAKABLE)


def _placed(path: str) -> Iterator[tuple[str, str, bool]]:
    """What a path is about, where that may be a person: not the user in `/users/1/orders/7`."""
    parts = [unquote(part) for part in segments(path)]
    for at, part in enumerate(parts):
        inside = len(parts) - at > 2 and names_several(parts[at + 1])
        if at and not inside:
            yield "", part, noun(parts[at - 1]) in _PEOPLE or _is_unmistakable(part)


def _creates(method: str, path: str, said: tuple[str, ...]) -> bool:
    last = "".join(segments(path)[-1:])
    return method == "POST" and (said[0] in CREATE_WORDS or names_several(last))


def _said(path: str, inputs: list[tuple[str, str]]) -> tuple[str, ...]:
    """The words of the call: of the last segment of the path, or of the input that says it."""
    call = next((value for name, value in inputs if name.lower() in _CALLS), None)
    return words_of_call(call or "".join(segments(path)[-1:]))


def inputs_of(request: Request) -> list[tuple[str, str]]:
    """Name and text of all that is scalar in the query and in a JSON body or a form.

    The items of a list have the name of the list, and a bare `id` that of what it is in as well.
    """
    found = parse_qsl(request.path.partition("?")[2])
    body = request.body.decode("utf-8", "replace")
    kind = request.header("content-type") or ""
    if "form-urlencoded" in kind:
        return found + parse_qsl(body)
    if "json" in kind or body[:1] in {"{", "["}:
        with suppress(ValueError, RecursionError):
            document = json.loads(body)
            if isinstance(document, dict) and "jsonrpc" in document:
                document.pop("id", None)  # that of the exchange
            found += _scalars(document, ())
    return found


def _scalars(node: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for key, part in node.items():
            yield from _scalars(part, (*path, str(key)))
    elif isinstance(node, list):
        for part in node:
            yield from _scalars(part, path)
    elif isinstance(node, str | int) and not isinstance(node, bool):
        yield input_name(path), str(node)


def input_name(path: Sequence[str]) -> str:
    """The last of the names that lead to an input; `plot_id` for the `id` in `{"plot": {"id": 7}}`,
    though not for what is framed: `{"params": {"id": 7}}`.
    """
    *before, name = [part for part in path if not part.isdecimal()] or [""]
    around = [part for part in before if part.lower() not in _FRAMES]
    return f"{around[-1]}_{name}" if around and name.lower() in ID_WORDS else name


def _is_name(name: str) -> bool:
    """Whether a field, a claim or a place in a profile holds what somebody is picked by."""
    *prefix, last = words(name.rsplit(".", 1)[-1])
    if last in ID_WORDS or last == "name":
        return bool(_PEOPLE & {*prefix}) or (last != "name" and not prefix)
    return last in _NAMES
