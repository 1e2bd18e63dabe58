"""Throw-away users, and which operations may only ever be tried with one (V8)."""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote_plus

from withstand.client.exchange import Request, Response
from withstand.client.field_names import is_password
from withstand.openapi.naming import KEY_WORDS, is_reference, names_several, noun, words
from withstand.openapi.operation import Api, Operation
from withstand.openapi.path_template import parameter_in, segments
from withstand.openapi.request_builder import Built, RequestBuilder, Slot
from withstand.openapi.resources import producer_of
from withstand.openapi.spoken import Deed, only_reads, spoken_deed, thing_of
from withstand.scan.answers.profile import asks_who

_ACCOUNT_WORDS: Final = frozenset({"me", "self", "profile", "account", "accounts", "user", "users"})
_OWN_THINGS: Final = frozenset({"user", "profile", "account", "password"})
_ACTIONS: Final = frozenset(
    {"delete", "remove", "destroy", "ban", "block", "lock", "suspend", "disable", "deactivate"}
    | {"terminate", "close", "promote", "demote", "role", "roles", "permissions", "admin"}
    | {"status", "state", "activate", "reactivate", "enable", "unlock", "unblock", "unban"}
)
"""What is done to an account where its path does not end in it."""
_OF_THE_CALLER: Final = frozenset(
    {"email", "mail", "password", "passwd", "passcode", "credential", "credentials", "username"}
    | {"nickname", "setting", "settings", "preference", "preferences", "mfa", "totp", "otp", "fa"}
    | {"factor", "twofactor", "tfa", "deactivate", "unsubscribe", "leave", "plan", "subscription"}
    | {"apikey", "rotate", "regenerate", "everywhere", "gdpr", "erase", "whoami", "me", "self"}
    | {"myself", "avatar", "picture", "photo", "address", "language", "locale", "timezone"}
    | {"theme", "status", "bio", "newsletter", "membership", "consent", "terms", "withdraw"}
    | {"topup", "wallet", "balance"}
)
"""What a call without an id says where it changes whoever calls it: `2fa`, `saveSettings`."""
_OWN_NOUNS: Final = frozenset({"user", "account", "member"})
_OF_A_USER: Final = re.compile(r'"(?:user|account|member)(?:_?id)?"\s*:', re.IGNORECASE)
_SENT_VALUE: Final = re.compile(r"[^\s\"'=&,:{}\[\]]{6,}")
_CALLERS: Final = frozenset(
    {"account", "myaccount", "profile", "current", "close", "set", "save", "accept", "cancel"}
    | {"clear", "mark", "enable", "disable", "activate", "upgrade", "downgrade", "top"}
)
"""The same, but for a call that creates: `POST /rpc/createAccount` changes nobody."""
_SIGN_UP_WORDS: Final = ("register", "registration", "signup", "enroll", "join", "createaccount")
"""What only a sign-up is called: documents often declare security for everything, also for it."""
_USER_WORDS: Final = ("users", "user", "accounts", "account", "customers", "members", "createuser")
_NO_SIGN_UP_WORDS: Final = (
    "login", "signin", "token", "session", "reset", "forgot", "verify", "confirm", "password",
)  # fmt: skip
_LOGIN_WORDS: Final = frozenset(
    {"login", "signin", "sign-in", "sign_in", "token", "session", "sessions", "authenticate"}
)
_USER_NAMES: Final = ("username", "login", "user", "handle", "nickname", "name")


def changes_an_account(operation: Operation) -> bool:
    """Whether the operation may change or delete the account of whoever calls it."""
    if operation.is_read or asks_who(operation):
        return False
    is_call = spoken_deed(operation) in {Deed.CHANGE, Deed.REMOVE} and not operation.path_parameters
    if is_call and thing_of(operation).rpartition("_")[2] in _OWN_THINGS:
        return True  # POST /rpc/updateUser
    words = [part.lower() for part in operation.path.split("/") if part and "{" not in part]
    action = {*re.split(r"[^a-z]+", words[-1])} & _ACTIONS if len(words) > 1 else None
    if action and words[-2] in _ACCOUNT_WORDS:  # POST /users/{id}/delete
        return True
    if not words or words[-1] not in _ACCOUNT_WORDS:
        return any(word in words for word in ("me", "self", "profile", "account")) or any(
            is_password(slot_word) for slot_word in words
        )
    return operation.method in {"PUT", "PATCH", "DELETE"} or words[-1] in {"me", "self", "profile"}


def changes_the_caller(operation: Operation, slots: Iterable[Slot]) -> bool:
    """Whether it may change the account of whoever calls it, or delete all that they have.

    `slots` are its inputs: an e-mail address or a password that goes nowhere else is the caller's.
    """
    if operation.path_parameters or operation.is_read or asks_who(operation):
        return False
    inputs = [slot.name.rsplit(".", 1)[-1] for slot in slots]
    if changes_an_account(operation):
        return True
    if operation.removes and not any(words(name)[-1] in KEY_WORDS for name in inputs):
        return True
    path = "".join(segments(operation.path)).lower()
    signs_up = any(word in re.sub(r"[^a-z]", "", path) for word in _SIGN_UP_WORDS)
    if opens_a_session(operation) or signs_up or any(map(is_reference, inputs)):
        return False
    parts = [part for part in segments(operation.path) if not parameter_in(part)]
    creates = spoken_deed(operation) is Deed.CREATE
    said = {word for part in parts for word in words(part)}
    callers = _OF_THE_CALLER if creates else _OF_THE_CALLER | _CALLERS
    if operation.method != "POST":
        callers |= {"user", "customer", "member"}
    if said & callers and (not only_reads(operation) or {*words(parts[-1])[:1]} & callers):
        return True  # POST /markAllRead reads nothing
    if creates or (operation.method == "POST" and parts and names_several(parts[-1])):
        return False  # POST /customers makes somebody else
    if operation.method == "GET":
        return True  # GET /deactivate acts, and on nothing that an input names
    return any(is_password(name) or words(name)[-1] in {"email", "mail"} for name in inputs)


def removes_a_user(operation: Operation) -> bool:
    """Whether it deletes the user whom its path names: `DELETE /admin/users/{id}`."""
    collection, _, last = operation.path.rstrip("/").rpartition("/")
    return (
        operation.removes
        and len(operation.path_parameters) == 1
        and last.startswith("{")
        and collection.rpartition("/")[2].lower() in _ACCOUNT_WORDS
    )


def is_on_users(api: Api, operation: Operation, sign_up: Operation | None) -> bool:
    """Whether the last id in the path is that of a user who signed up by `sign_up`.

    An account may be a bank's, and `/me/orders/{id}` names an order: their ids are other ones.
    """
    if sign_up is not None and producer_of(api, operation) == sign_up:
        return True
    parts = segments(operation.path)
    at = max((at for at, part in enumerate(parts) if parameter_in(part)), default=0)
    return at > 0 and "user" in {noun(parts[at - 1]), noun(_without_id(parts[at]))}


def shows_the_user(request: Request, response: Response) -> bool:
    """Whether the answer to a sign-up is about the new user: it gives their address, repeats what
    was sent, or says so. An id without any of it may be that of an organisation.
    """
    sent = unquote_plus(request.body.decode("utf-8", "replace"))
    about = {noun(part) for part in segments(request.operation_path)[-1:]} | _OWN_NOUNS
    place = segments((response.made_at or "").partition("?")[0])
    return (
        any(noun(part) in about for part in place)
        or _OF_A_USER.search(response.text) is not None
        or any(value in response.text for value in _SENT_VALUE.findall(sent))
    )


def _without_id(part: str) -> str:
    """What a parameter says that it names: `{user_id}` → `user`."""
    return "_".join(words(part)[:-1]) or "id"


def opens_a_session(operation: Operation) -> bool:
    """Whether the path says that a login is what is made there: `POST /sessions`."""
    words = {part.lower() for part in operation.path.split("/")[-2:] if "{" not in part}
    return operation.method == "POST" and bool(words & _LOGIN_WORDS)


def looks_like_login(operation: Operation, builder: RequestBuilder) -> bool:
    """Whether anybody may send a password there to log in, by its path and its body."""
    return (
        opens_a_session(operation)
        and not operation.requires_credential
        and any(
            slot.location == "body" and is_password(slot.name) for slot in builder.slots(operation)
        )
    )


def login_slots(
    operation: Operation, builder: RequestBuilder, fields: Mapping[str, str]
) -> dict[Slot, object]:
    """The inputs of a login that say who logs in, with a user's values; else none."""
    if not looks_like_login(operation, builder):
        return {}
    found: dict[Slot, object] = {}
    for slot in builder.slots(operation):
        name = slot.name.rsplit(".", 1)[-1]
        if slot.location != "body" or "const" in slot.schema or "enum" in slot.schema:
            continue  # what a document prescribes is no user's: {"data": {"type": "sessions"}}
        if is_password(name):
            found[slot] = fields["password"]
        elif name in fields:
            found[slot] = fields[name]
    return found


def new_password(nonce: str) -> str:
    """A password that no policy refuses and nobody guesses."""
    return f"Ws1!{nonce[2:18]}"


def sign_up_operation(api: Api, builder: RequestBuilder) -> Operation | None:
    """The operation by which anybody becomes a user: a POST that takes a new password."""
    candidates = []
    for operation in api.operations:
        if operation.method != "POST" or operation.path_parameters:
            continue
        *_, last = re.sub(r"[^a-z/]", "", operation.path.lower()).rstrip("/").split("/")
        named = re.sub(r"[^a-z]", "", f"{operation.path} {operation.operation_id or ''}".lower())
        if any(word in last for word in _NO_SIGN_UP_WORDS) or "admin" in named:
            continue
        if not any(is_password(slot.name) for slot in builder.slots(operation)):
            continue
        rank = next((i for i, word in enumerate(_SIGN_UP_WORDS) if word in named), None)
        if rank is None and not operation.requires_credential:
            words = (i for i, word in enumerate(_USER_WORDS) if word in (last, named))
            found = next(words, next((9 for word in _USER_WORDS if word in named), None))
            rank = None if found is None else len(_SIGN_UP_WORDS) + found
        if rank is not None:
            candidates.append((operation.requires_credential, rank, operation))
    return min(candidates, key=lambda found: found[:2])[2] if candidates else None


def sign_up_request(
    operation: Operation, builder: RequestBuilder, password: str, *, full: bool = True
) -> tuple[Built, Mapping[str, str]]:
    """A request that creates a user with this password, and the fields that log it in.

    Raises Unbuildable.
    """
    slots = [slot for slot in builder.slots(operation) if is_password(slot.name)]
    longest = min((_longest(slot) for slot in slots), default=None)
    chosen: dict[Slot, object] = dict.fromkeys(slots, password[:longest])
    built = builder.build(operation, None, full=full, replace=chosen)
    fields = {
        slot.name.rsplit(".", 1)[-1]: str(value)
        for slot, value in built.values.items()
        if slot.location == "body"
    }
    return built, {**_aliases(fields), "password": password[:longest]}


def _longest(slot: Slot) -> int:
    """How long a text of a slot may be; no limit is worth heeding under eight characters."""
    limit = slot.schema.get("maxLength")
    return limit if isinstance(limit, int) and limit >= 8 else 1_000


def _aliases(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields, also under the names by which login recipes call them."""
    found = dict(fields)
    names = {re.sub("[^a-z]", "", name.lower()): value for name, value in fields.items()}
    mail = next((value for name, value in names.items() if "mail" in name), None)
    user = next((names[word] for word in _USER_NAMES if word in names), None)
    for name, value in (("email", mail or user), ("username", user or mail)):
        if value is not None:
            found.setdefault(name, value)
    return found
