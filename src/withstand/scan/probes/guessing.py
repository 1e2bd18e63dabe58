"""Guessing the password of an account of the scan's own, and how an API ends that.

Sub-generator for the checks of rate limiting: `series = yield from guess(subject, operation)`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from withstand.client.exchange import Exchange, Failure, Request, Response
from withstand.client.identity import Identity, LoginRecipe
from withstand.client.session import csrf_token, merged, wants_csrf_token
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.scan.access.accounts import (
    is_password,
    looks_like_login,
    sign_up_operation,
    sign_up_request,
)
from withstand.scan.answers.similarity import normalised
from withstand.scan.check import Pause, Steps, send
from withstand.scan.policy import matches
from withstand.scan.subject import Subject
from withstand.scan.wire.login import based

GUESSES_WITHOUT_A_LIMIT: Final = 30
"""How many wrong passwords are tried where nobody said after how many they must be refused."""

Guard = tuple[tuple[str, str], Mapping[str, str]] | None
"""Name and value of a token against forged requests, and the cookies that go with it."""

_MOST_GUESSES: Final = 200
_BUSY: Final = frozenset({429, 503})
_REST_S: Final = 0.3  # after which a limit on requests lets one through again
_MOST_STRAYS: Final = 3  # answers of such a limit in one series
_LIMIT_TEXT: Final = re.compile(
    r"too many|rate.?limit|locked|lock.?out|blocked|throttl|captcha|try again (?:later|in)", re.I
)
_SLOWER_TIMES: Final = 3.0  # than the first guesses, and …
_SLOWER_BY_NS: Final = 300_000_000  # … by this much: a delay that grows on purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An operation by which one logs in."""

    key: str
    operation: Operation | None  # None: known from [login] only, the document lacks it
    recipe: LoginRecipe | None  # how its body is written, where [login] says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What became of many wrong passwords for one account.

    `limited` is the answer that put an end to it and `how` says by what; both None when nothing
    did. `problem` says why the answers tell nothing.
    """

    account: str
    exchanges: tuple[Exchange, ...]
    limited: Exchange | None = None
    how: str | None = None
    problem: str | None = None


def logins(subject: Subject) -> tuple[Login, ...]:
    """The operations that take passwords from strangers: configured, limited, or by their look."""
    found: dict[str, Login] = {}
    if subject.login is not None and subject.login.is_personal:
        key = subject.login.operation_key
        found[key] = Login(key=key, operation=subject.api.operation(key), recipe=subject.login)
    for operation in subject.api.operations:
        named = any(matches(pattern, operation.key) for pattern in subject.policy.limits)
        if operation.key not in found and (named or looks_like_login(operation, subject.builder)):
            found[operation.key] = Login(key=operation.key, operation=operation, recipe=None)
    return tuple(login for login in found.values() if _forbidden(subject, login) is None)


def allowed_failures(subject: Subject, login: Login) -> int | None:
    """After how many wrong passwords the configuration wants a refusal; None when it is silent."""
    return next(
        (limit for pattern, limit in subject.policy.limits.items() if matches(pattern, login.key)),
        None,
    )


def guess(subject: Subject, login: Login) -> Steps[Series]:
    """Wrong passwords, one after the other, until the API has had enough or the list is through."""
    limit = allowed_failures(subject, login)
    if limit is not None and limit >= _MOST_GUESSES:
        return Series(
            account="",
            exchanges=(),
            problem=f"{limit} failures are allowed, and a scan tries {_MOST_GUESSES} at most",
        )
    wanted = min(limit + 5 if limit is not None else GUESSES_WITHOUT_A_LIMIT, _MOST_GUESSES)
    account = yield from own_account(subject)
    name = account.get("email") or account.get("username") or ""
    exchanges: list[Exchange] = []
    failures = strays = 0
    guard: Guard = None
    while len(exchanges) < wanted:
        try:
            request = _request(subject, login, account, f"Wrong-{subject.nonce()[2:14]}-1", guard)
        except (Unbuildable, KeyError) as problem:
            return Series(account=name, exchanges=(), problem=f"no login can be tried: {problem}")
        exchange = yield from send(request, noise_is_answer=True)
        if guard is None and not exchanges and exchange.response is not None:
            guard = yield from guarded(subject, login, exchange.response)
            if guard is not None:
                continue
        exchanges.append(exchange)
        series = Series(account=name, exchanges=tuple(exchanges))
        if isinstance(exchange.outcome, Failure):
            failures += 1
            if failures == 3:
                return _ended(series, exchange, _how_cut(series))
            continue
        failures = 0
        how = limit_in(exchanges)
        if exchange.status in _BUSY and strays < _MOST_STRAYS:
            # Too many requests, or too many failures? What counts those refuses the next as well.
            yield Pause(seconds=_REST_S)
            request = _request(subject, login, account, f"Wrong-{subject.nonce()[2:14]}-1", guard)
            again = yield from send(request, noise_is_answer=True)
            if again.status != exchange.status:
                strays += 1
                exchanges[-1] = again
                continue
        if how is not None and strays == _MOST_STRAYS:
            reason = "a limit on all requests answers in between, so none on guesses can be seen"
            return Series(account=name, exchanges=tuple(exchanges), problem=reason)
        if how is not None:
            return _ended(series, exchange, how)
        if len(exchanges) == 1:
            wrong = unfit(subject, login, exchange)
            if wrong is not None:
                return Series(account=name, exchanges=tuple(exchanges), problem=wrong)
    series = Series(account=name, exchanges=tuple(exchanges))
    if grows(exchanges):
        return _ended(series, exchanges[-1], "a delay that grows with every failure")
    return series


def _ended(series: Series, exchange: Exchange, how: str | None) -> Series:
    problem = None if how is not None else f"the connection fails: {exchange.outcome}"
    return Series(
        account=series.account,
        exchanges=series.exchanges,
        limited=exchange if how is not None else None,
        how=how,
        problem=problem,
    )


def _how_cut(series: Series) -> str | None:
    """Connections that are dropped after proper refusals are a limit; from the start, trouble."""
    return "dropped connections" if series.exchanges[0].response is not None else None


def limit_in(exchanges: list[Exchange]) -> str | None:
    """By what the last answer ends the guessing; None when it is one more refusal."""
    last = exchanges[-1].response
    if last is None:
        return None
    if last.status in {429, 423}:
        return f"status {last.status}"
    first = next((e.response for e in exchanges if e.response is not None), last)
    if last.status == 503 and first.status != 503:
        return "status 503"
    if 400 <= first.status < 500 and 400 <= last.status < 500 and first.status != last.status:
        return f"status {last.status} instead of {first.status}"
    told = _LIMIT_TEXT.search(last.text)
    if told is not None and normalised(first) != normalised(last):
        return f"the words {told.group(0)!r}"
    return None


def unfit(subject: Subject, login: Login, exchange: Exchange) -> str | None:
    """Why the first answer is no refusal of a wrong password; None when it is one."""
    response = exchange.response
    assert response is not None, "failures are counted elsewhere"
    if response.succeeded and normalised(response) not in subject.refusals:
        recipe = login.recipe
        if recipe is None or recipe.credential(response) is not None:
            return f"a wrong password was answered with {response.status}"
    elif response.status in {405, 415} or response.status >= 500:
        return f"a wrong password was answered with {response.status}, not judged as a login"
    elif (
        response.status in {400, 404, 422}
        and login.recipe is None
        and login.key not in subject.baselines  # there the right password was accepted
    ):
        return (
            f"it was answered with {response.status}, so the request may not be what the operation "
            "expects"
        )
    return None


def grows(exchanges: list[Exchange]) -> bool:
    times = [e.timing.service_time_ns for e in exchanges if e.response is not None]
    if len(times) < 10:
        return False
    first, last = median(times[:5]), median(times[-5:])
    return last > _SLOWER_TIMES * first and last - first > _SLOWER_BY_NS


def own_account(subject: Subject) -> Steps[Mapping[str, str]]:
    """The fields of a user signed up for this, else of one whom nobody knows."""
    nonce = subject.nonce()
    stranger = {"email": f"{nonce}@example.com", "username": nonce}
    sign_up = sign_up_operation(subject.api, subject.builder)
    if sign_up is None or subject.policy.forbids(sign_up) is not None:
        return stranger
    try:
        built, fields = sign_up_request(sign_up, subject.builder, f"Ws1!{nonce[2:18]}")
    except Unbuildable:
        return stranger
    exchange = yield from send(built.request, noise_is_answer=True)
    if not exchange.succeeded:
        return stranger
    name = fields.get("username") or fields.get("login") or fields.get("email") or nonce
    email = fields.get("email") or name
    return {**fields, "email": email, "username": name}


def guarded(subject: Subject, login: Login, refusal: Response) -> Steps[Guard]:
    """What a login page gives against forged requests, where the API refuses for want of it: then
    it refuses every attempt unread.
    """
    recipe = login.recipe
    if recipe is None or not wants_csrf_token(refusal):
        return None
    page = recipe.csrf.page if recipe.csrf is not None else recipe.path
    answer = yield from send(based(Request(method="GET", path=page), subject.target.base_path))
    found = csrf_token(answer.response) if answer.response is not None else None
    if found is None or answer.response is None:
        return None
    return found, merged({}, answer.response)


def _request(
    subject: Subject,
    login: Login,
    account: Mapping[str, str],
    password: str,
    guard: Guard = None,
) -> Request:
    """One attempt. Raises Unbuildable, and KeyError for a field that [login] wants of nobody."""
    if login.recipe is not None:
        return _by_recipe(subject, login.recipe, account, password, guard)
    assert login.operation is not None, "without a recipe the document describes it"
    values: dict[Slot, object] = {}
    for slot in subject.builder.slots(login.operation):
        last = slot.name.rsplit(".", 1)[-1].lower()
        if is_password(slot.name):
            values[slot] = password
        elif slot.location == "body" and slot.is_text and names_user(last):
            by_email = "mail" in last or slot.schema.get("format") == "email"
            values[slot] = account["email" if by_email else "username"]
    return subject.build(login.operation, replace=values).request


def _by_recipe(
    subject: Subject,
    recipe: LoginRecipe,
    account: Mapping[str, str],
    password: str,
    guard: Guard = None,
) -> Request:
    template = subject.identities[0] if subject.identities else None
    known = dict(template.fields) if template is not None else {"password": password}
    fields: dict[str, str] = {}
    for name, value in {**account, **known}.items():
        if is_password(name):
            fields[name] = password
        elif "@" in value or "mail" in name.lower():
            fields[name] = account["email"]
        elif name in account:
            fields[name] = account[name]
        elif names_user(name.lower()):
            fields[name] = account["username"]
        else:
            fields[name] = value  # a tenant or client that all identities share
    fields.setdefault("password", password)
    somebody = Identity(name="somebody", role="nobody", fields=fields)
    csrf, cookies = guard if guard is not None else (None, None)
    return based(recipe.request(somebody, csrf=csrf, cookies=cookies), subject.target.base_path)


def names_user(name: str) -> bool:
    return "mail" in name or name in {"username", "user", "login", "user_name", "name", "account"}


def _forbidden(subject: Subject, login: Login) -> str | None:
    if login.operation is not None:
        return subject.policy.forbids(login.operation)
    listed = any(matches(pattern, login.key) for pattern in subject.policy.never)
    return "listed under never" if listed else None
