"""Throw-away users, and which operations may only ever be tried with one (V8)."""

from collections.abc import Mapping
from typing import Final

from withstand.client.identity import Credential, Identity, LoginRecipe
from withstand.openapi.operation import Api, Operation
from withstand.openapi.request_builder import Built, RequestBuilder, Slot, Unbuildable
from withstand.scan.courier import Courier, NoiseStays
from withstand.scan.login import log_in

_ACCOUNT_WORDS: Final = frozenset({"me", "self", "profile", "account", "accounts", "user", "users"})
_SIGN_UP_WORDS: Final = (
    "register",
    "registration",
    "signup",
    "sign-up",
    "sign_up",
    "users",
    "user",
)
_NO_SIGN_UP_WORDS: Final = ("login", "signin", "token", "session", "auth", "reset", "forgot")
_LOGIN_WORDS: Final = frozenset(
    {"login", "signin", "sign-in", "sign_in", "token", "session", "sessions", "authenticate"}
)
_PASSWORD_WORDS: Final = ("password", "passwd", "pwd")
_PASSWORDS: Final = frozenset({"pass", "pw", "passphrase", "passcode"})


def changes_an_account(operation: Operation) -> bool:
    """Whether the operation may change or delete the account of whoever calls it."""
    if operation.is_read:
        return False
    words = [part.lower() for part in operation.path.split("/") if part and "{" not in part]
    if not words or words[-1] not in _ACCOUNT_WORDS:
        return any(word in words for word in ("me", "self", "profile", "account")) or any(
            is_password(slot_word) for slot_word in words
        )
    return operation.method in {"PUT", "PATCH", "DELETE"} or words[-1] in {"me", "self"}


def is_password(name: str) -> bool:
    """Whether a property of that name holds a password."""
    last = name.rsplit(".", 1)[-1].lower().replace("-", "").replace("_", "")
    return last in _PASSWORDS or any(
        last.startswith(word) or last.endswith(word) for word in _PASSWORD_WORDS
    )


def looks_like_login(operation: Operation, builder: RequestBuilder) -> bool:
    """Whether anybody may send a password there to log in, by its path and its body."""
    words = {part.lower() for part in operation.path.split("/")[-2:] if "{" not in part}
    return (
        operation.method == "POST"
        and not operation.requires_credential
        and bool(words & _LOGIN_WORDS)
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
    return {
        slot: fields["password"] if is_password(slot.name) else fields[slot.name]
        for slot in builder.slots(operation)
        if slot.location == "body" and (is_password(slot.name) or slot.name in fields)
    }


def new_password(nonce: str) -> str:
    """A password that no policy refuses and nobody guesses."""
    return f"Ws1!{nonce[2:18]}"


def sign_up_operation(api: Api, builder: RequestBuilder) -> Operation | None:
    """The operation by which anybody becomes a user: a public POST that takes a new password."""
    candidates = []
    for operation in api.operations:
        path = operation.path.lower()
        if operation.method != "POST" or operation.path_parameters or operation.requires_credential:
            continue
        if any(word in path.rsplit("/", 1)[-1] for word in _NO_SIGN_UP_WORDS):
            continue
        if not any(is_password(slot.name) for slot in builder.slots(operation)):
            continue
        rank = next((i for i, word in enumerate(_SIGN_UP_WORDS) if word in path), None)
        if rank is not None:
            candidates.append((rank, operation))
    return min(candidates, key=lambda pair: pair[0])[1] if candidates else None


def sign_up_request(
    operation: Operation, builder: RequestBuilder, password: str
) -> tuple[Built, Mapping[str, str]]:
    """A request that creates a user with this password, and the fields that log it in.

    Raises Unbuildable.
    """
    chosen: dict[Slot, object] = {
        slot: password for slot in builder.slots(operation) if is_password(slot.name)
    }
    built = builder.build(operation, None, replace=chosen)
    fields = {
        slot.name.rsplit(".", 1)[-1]: str(value)
        for slot, value in built.values.items()
        if slot.location == "body"
    }
    return built, fields


async def make_throwaway(
    api: Api,
    builder: RequestBuilder,
    recipe: LoginRecipe | None,
    courier: Courier,
    *,
    name: str,
    role: str,
    base_path: str,
    nonce: str,
) -> Identity | str:
    """A user of our own, signed up and logged in, or why there is none."""
    if recipe is None:
        return "no [login] is configured, so a throw-away user could not log in"
    operation = sign_up_operation(api, builder)
    if operation is None:
        return "the document has no public sign-up operation"
    password = new_password(nonce)
    try:
        built, fields = sign_up_request(operation, builder, password)
        exchange = await courier.send(built.request)
    except (Unbuildable, NoiseStays) as problem:
        return f"{operation.key} could not be used: {problem}"
    if not exchange.succeeded:
        return f"{operation.key} answered {exchange.status}"
    identity = Identity(
        name=name, role=role, fields={**_aliases(fields), "password": password}, throwaway=True
    )
    credential = await log_in(recipe, identity, courier, base_path=base_path)
    if not isinstance(credential, Credential):
        return f"the new user cannot log in: {credential}"
    return identity.logged_in(credential)


def _aliases(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields, also under the names by which login recipes call them."""
    found = dict(fields)
    for one, other in (("email", "username"), ("username", "email"), ("login", "username")):
        if one in found:
            found.setdefault(other, found[one])
    return found
