"""Guessing the password of an account of the scan's own, and how an API ends that.

Sub-generator for the checks of rate limiting: `series = yield from guess(subject, operation)`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from withstand.client.exchange import Exchange, Failure, Request, Response
from withstand.client.session import csrf_token, merged, wants_csrf_token
from withstand.openapi.request_builder import Unbuildable
from withstand.scan.access.accounts import sign_up_operation, sign_up_request
from withstand.scan.answers.similarity import normalised
from withstand.scan.check import Pause, Steps, send
from withstand.scan.probes.logins import Guard, Login, attempt
from withstand.scan.subject import Subject
from withstand.scan.wire.login import based

GUESSES_WITHOUT_A_LIMIT: Final = 30
"""How many wrong passwords are tried where nobody said after how many they must be refused."""

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


def guess(subject: Subject, login: Login) -> Steps[Series]:
    """Wrong passwords, one after the other, until the API has had enough or the list is through."""
    limit = subject.policy.allowed_failures(login.key)
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
            request = attempt(subject, login, account, f"Wrong-{subject.nonce()[2:14]}-1", guard)
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
            request = attempt(subject, login, account, f"Wrong-{subject.nonce()[2:14]}-1", guard)
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
