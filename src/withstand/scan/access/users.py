"""Users that a check signs up for itself, logged in: whose accounts it may change and lose (V8).

Sub-generators for checks: `user = yield from new_user(subject)`.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from withstand.client.exchange import Exchange
from withstand.client.field_names import is_password
from withstand.client.identity import Credential, Identity
from withstand.client.login_fields import aliased
from withstand.openapi.identifiers import identifier_in
from withstand.openapi.naming import words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import values_in
from withstand.openapi.request_builder import Built, Slot, Unbuildable
from withstand.openapi.resources import nouns_of, producer_of, reader_of
from withstand.scan.access.accounts import (
    is_on_users,
    new_password,
    shows_the_user,
    sign_up_operation,
)
from withstand.scan.access.objects import like_baseline, without_echo
from withstand.scan.access.ownership import shows
from withstand.scan.check import LogIn, Steps, send
from withstand.scan.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A user of this check's own. `identity` is logged in; `exchange` is the sign-up.

    `account` is their account as they read it, where the sign-up's answer leaves open whose id it
    gives.
    """

    identity: Identity
    built: Built
    exchange: Exchange
    account: Exchange | None = None

    @property
    def is_told(self) -> bool:
        """Whether the sign-up's answer is about this user."""
        response = self.exchange.response
        return response is not None and shows_the_user(self.built.request, response)

    def named(
        self, name: str, account: Exchange | None = None, *, guess: bool = False
    ) -> object | None:
        """What names this user as an input would: by a field, by the sign-up's answer, or by the
        account as the user reads it. None without one; a `guess` is only good for a read.
        """
        fields = self.identity.fields
        given = fields.get(name) or fields.get(words(name)[-1])
        if given is not None:
            return given
        told = self.exchange if guess or self.is_told else None
        for exchange in (told, self.account, account):
            response = exchange.response if exchange is not None else None
            found = identifier_in(response.json(), name) if response is not None else None
            if found is not None:
                return found
        return None


def works_on_signed_up(subject: Subject, operation: Operation) -> bool:
    """Whether what the operation works on are users who signed up, be it elsewhere: `/register`."""
    sign_up = sign_up_operation(subject.api, subject.builder)
    known = producer_of(subject.api, operation) in (None, sign_up)
    return sign_up is not None and known and is_on_users(subject.api, operation, sign_up)


def sign_up_of(subject: Subject) -> Operation | str:
    """The operation by which anybody becomes a user, or why it is not to be used."""
    sign_up = sign_up_operation(subject.api, subject.builder)
    if sign_up is None:
        return "the document has no public sign-up operation"
    forbidden = subject.policy.forbids(sign_up)
    return f"{sign_up.key} is not called: {forbidden}" if forbidden is not None else sign_up


def new_user(
    subject: Subject, extra: Mapping[Slot, object] | None = None
) -> Steps[NewUser | Exchange | str]:
    """A new user, logged in. `extra` are inputs besides those that a sign-up needs.

    The exchange where the sign-up itself was refused, a sentence where anything else is missing.
    """
    sign_up = sign_up_of(subject)
    if isinstance(sign_up, str):
        return sign_up
    password = new_password(subject.nonce())
    slots = subject.builder.slots(sign_up)
    chosen: dict[Slot, object] = {s: password for s in slots if is_password(s.name)}
    chosen |= extra or {}
    usual = subject.baselines.get(sign_up.key)
    try:
        built = (
            subject.builder.build(sign_up, None, replace=chosen)
            if usual is None
            else like_baseline(subject, usual, chosen)
        )
    except Unbuildable as problem:
        return f"{sign_up.key}: {problem.reason}"
    exchange = yield from send(built.request)
    if exchange.response is None or not exchange.succeeded or subject.refused(exchange.response):
        return exchange
    return (yield from signed_up(subject, built, exchange, password, frozenset(extra or ())))


def signed_up(
    subject: Subject,
    built: Built,
    exchange: Exchange,
    password: str,
    besides: frozenset[Slot] = frozenset(),
) -> Steps[NewUser | str]:
    """The user of a sign-up that succeeded, logged in, or why not. `besides` names nobody."""
    fields = {
        slot.name.rsplit(".", 1)[-1]: str(value)
        for slot, value in built.values.items()
        if slot.location == "body" and slot not in besides
    }
    template = subject.throwaway
    known = {**_also_called(fields), "password": password}
    identity = Identity(
        name="new-user",
        role=template.role if template is not None else "throwaway",
        fields=known if subject.login is None else aliased(known, subject.login),
        throwaway=True,
    )
    credential: Credential | None = yield LogIn(identity=identity.name, user=identity)
    if credential is None:
        return f"a user signed up with {built.operation.key} could not log in"
    user = NewUser(identity=identity.logged_in(credential), built=built, exchange=exchange)
    if user.is_told or subject.canary is None:
        return user
    asked = user.identity.authorize(subject.stripped(subject.canary.exchange.request))
    account = yield from send(asked)
    return replace(user, account=account) if _shows(account, user) else user


def _shows(exchange: Exchange, user: NewUser) -> bool:
    """Whether an answer names the user: by what nobody else has, where they have such a thing."""
    fields = user.identity.fields.items()
    names = user.built.canaries or [value for key, value in fields if not is_password(key)]
    response = exchange.response
    return response is not None and exchange.succeeded and any(n in response.text for n in names)


def _also_called(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields, also under the names by which a login may ask for them."""
    name = fields.get("email") or fields.get("username") or fields.get("login")
    return {"email": name, "username": name, "login": name, **fields} if name else dict(fields)


def account_of(subject: Subject, user: NewUser, operation: Operation) -> Steps[Exchange | None]:
    """The user's own account as they read it now; None where nothing shows it."""
    found = yield from accounts_of(subject, user, operation)
    return found[0] if found else None


def accounts_of(subject: Subject, user: NewUser, operation: Operation) -> Steps[list[Exchange]]:
    """The user's own account as each read of it shows it now: one may leave out what another tells.

    Read by id beside the operation, then by the canary; only an answer that names the user counts.
    """
    requests, found = [], []
    reader = reader_of(subject.api, operation)
    if reader is not None and subject.policy.forbids(reader) is None:
        place = _place(subject, reader, user, guess=True)
        if place is not None:
            with suppress(Unbuildable):
                requests.append(subject.build(reader, replace=place).request)
    if subject.canary is not None:
        requests.append(subject.stripped(subject.canary.exchange.request))
    for request in requests:
        exchange = yield from send(user.identity.authorize(request))
        if _shows(exchange, user):
            found.append(exchange)
    return found


def change_shown(
    views: Iterable[Exchange], texts: tuple[str, ...]
) -> Steps[tuple[Exchange, Exchange, str] | None]:
    """The account before and after, and the text that a read of it shows now; None for none."""
    for before in views:
        after = yield from send(before.request)
        mark = shows(after, without_echo(after.request, texts))
        if mark is not None:
            return before, after, mark
    return None


def id_as_read(
    subject: Subject, operation: Operation, built: Built, exchange: Exchange, name: str
) -> Steps[object | None]:
    """The id of whom a sign-up made, where its answer leaves open whose id it gives.

    The user logs in and reads: what names them where they are asked for by that id, or in their own
    account, is theirs. None where nothing says so.
    """
    password = next((str(v) for s, v in built.values.items() if is_password(s.name)), None)
    user = (yield from signed_up(subject, built, exchange, password)) if password else None
    if not isinstance(user, NewUser):
        return None
    account = user.account or (yield from account_of(subject, user, operation))
    if account is None or account.response is None:
        return None
    found = identifier_in(account.response.json(), name, about=nouns_of(operation))
    if found is not None:
        return found
    reader, guess = reader_of(subject.api, operation), user.named(name, guess=True)
    asked = values_in(reader.path, account.request.operation_path) if reader is not None else {}
    return guess if str(guess) in asked.values() else None  # and no `me` of /users/me


def located_account(
    subject: Subject,
    operation: Operation,
    user: NewUser,
    password: str,
    more: Mapping[Slot, object] | None = None,
) -> Built:
    """A request of the operation on this user's account, with `more` inputs. Raises Unbuildable."""
    place = _place(subject, operation, user)
    if place is None:
        raise Unbuildable(f"the sign-up gave no value for the path of {operation.key}")
    secret = {s: password for s in subject.builder.slots(operation) if is_password(s.name)}
    return subject.build(operation, replace={**secret, **place, **(more or {})})


def _place(
    subject: Subject, operation: Operation, user: NewUser, *, guess: bool = False
) -> dict[Slot, object] | None:
    """Who the user is in the operation's path: by the sign-up's answer, else by a field."""
    slots = [s for s in subject.builder.slots(operation) if s.location == "path"]
    if len(slots) != 1:
        return None
    value = user.named(slots[0].name, guess=guess)
    return {slots[0]: value} if value is not None else None


def logs_in(user: NewUser, password: str) -> Steps[bool]:
    """Whether a password that somebody else has chosen has become the user's."""
    changed = replace(user.identity, fields={**user.identity.fields, "password": password})
    credential: Credential | None = yield LogIn(identity=changed.name, user=changed)
    return credential is not None
