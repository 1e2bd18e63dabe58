"""Guessing the short codes that stand in for a password, of an account of the scan's own.

One-time codes, PINs and reset codes have some thousand or million values: without a limit all of
them can be tried. Sub-generator for checks: `series = yield from guess_codes(subject, entry)`.
"""

import re
from collections.abc import Mapping
from typing import Final

from withstand.client.exchange import Exchange, Failure, Request, Response
from withstand.client.field_names import is_password, names_user
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.scan.access.accounts import new_password, sign_up_operation
from withstand.scan.access.ownership import is_locked_out
from withstand.scan.answers.similarity import normalised
from withstand.scan.check import Steps, send
from withstand.scan.probes.code_entries import CodeEntry, is_code, is_kept_out, last_part, leads_to
from withstand.scan.probes.guessing import Series, grows, limit_in, own_account
from withstand.scan.seen import admits_failure, text_of
from withstand.scan.subject import Subject

CODES_WITHOUT_A_LIMIT: Final = 60
"""How many wrong codes are tried."""

_A_CODE: Final = re.compile(r"(?<![a-z])(?:code|otp|totp|pin|passcode|token|one[- ]time)(?![a-z])")
_IS_WRONG: Final = re.compile(
    r"wrong|invalid|incorrect|not (?:right|valid|correct|accepted)|does(?:n.t| not) match"
    r"|mismatch|expired|(?<![a-z])bad(?![a-z])|rejected|denied"
)
_NOTHING_TO_GUESS: Final = re.compile(
    r"not (?:enabled|enrolled|set up|requested|active|pending|configured)"
    r"|no (?:pending|active|open)|never (?:requested|sent)|required|must be|too (?:short|long)"
)


def guess_codes(subject: Subject, entry: CodeEntry) -> Steps[Series]:
    """Wrong codes, one after the other, until the API has had enough or the list is through."""
    limit = subject.policy.allowed_failures(entry.key)
    wanted = CODES_WITHOUT_A_LIMIT if limit is None else min(limit + 5, 200)
    account = yield from _whose(subject, entry)
    name = account.get("email") or account.get("username") or ""
    sent_one = yield from _ask_for_code(subject, entry, account)
    exchanges: list[Exchange] = []
    while len(exchanges) < wanted:
        try:
            request = _attempt(subject, entry, account)
        except Unbuildable as problem:
            return Series(account=name, exchanges=(), problem=problem.reason)
        exchange = yield from send(request, noise_is_answer=True)
        exchanges.append(exchange)
        series = Series(account=name, exchanges=tuple(exchanges))
        if isinstance(exchange.outcome, Failure):
            dropped = len(exchanges) > 3 and exchanges[0].response is not None
            how = "dropped connections" if dropped else None
            return Series(
                account=name,
                exchanges=tuple(exchanges),
                limited=exchange if dropped else None,
                how=how,
                problem=None if dropped else f"the connection fails: {exchange.outcome}",
            )
        how = limit_in(exchanges)
        if how is not None:
            return Series(account=name, exchanges=tuple(exchanges), limited=exchange, how=how)
        problem_here = _unfit(subject, exchange.outcome, code_was_sent=sent_one)
        if problem_here is not None:
            return Series(account=name, exchanges=tuple(exchanges), problem=problem_here)
    if grows(exchanges):
        how = "a delay that grows with every failure"
        return Series(account=name, exchanges=tuple(exchanges), limited=exchanges[-1], how=how)
    if _signs(entry) and (yield from is_locked_out(subject, subject.throwaway)):
        told = "its user is logged in no longer, so that no code was looked at"
        return Series(account=name, exchanges=tuple(exchanges), problem=told)
    return series


def _unfit(subject: Subject, response: Response, *, code_was_sent: bool) -> str | None:
    """Why an answer is no refusal of a wrong code; None when it is one."""
    soft = admits_failure(response) or normalised(response) in subject.refusals
    if response.succeeded and not soft:
        return f"a made-up code was answered with {response.status}"
    if response.status >= 500 or 300 <= response.status < 400:
        return f"a wrong code was answered with {response.status}"
    text = text_of(response).lower()
    if _NOTHING_TO_GUESS.search(text) is not None:
        return f"a wrong code was answered with {response.status}, but not because it is wrong"
    if _A_CODE.search(text) is not None and _IS_WRONG.search(text) is not None:
        return None
    if code_was_sent and response.status in {400, 401, 403}:
        return None
    return f"the answer {response.status} does not say that the code is wrong"


def _whose(subject: Subject, entry: CodeEntry) -> Steps[Mapping[str, str]]:
    """The fields of the user whose code is guessed: signed up for it where nobody logs in."""
    own = dict(subject.throwaway.fields) if subject.throwaway is not None else {}
    if entry.operation.requires_credential or not entry.accounts:
        return own
    sign_up = sign_up_operation(subject.api, subject.builder)
    if sign_up is None or subject.policy.forbids(sign_up) is not None:
        return own
    return (yield from own_account(subject))


def _ask_for_code(subject: Subject, entry: CodeEntry, account: Mapping[str, str]) -> Steps[bool]:
    """Has a code sent to the user, where an operation does that: there must be one to guess."""
    for operation in subject.api.operations:
        if operation.method != "POST" or operation.path_parameters:
            continue
        if operation.key == entry.key or is_kept_out(subject, operation):
            continue
        if not leads_to(operation, entry.operation):
            continue
        slots = subject.builder.slots(operation)
        if any(is_code(operation, slot) or is_password(slot.name) for slot in slots):
            continue
        try:
            request = subject.build(operation, replace=_filled(slots, account)).request
        except Unbuildable:
            continue
        if operation.requires_credential and subject.throwaway is not None:
            request = subject.throwaway.authorize(request)
        exchange = yield from send(request, noise_is_answer=True)
        if exchange.succeeded:
            return True
    return False


def _attempt(subject: Subject, entry: CodeEntry, account: Mapping[str, str]) -> Request:
    slots = subject.builder.slots(entry.operation)
    values = _filled(slots, account)
    for slot in slots:
        if is_password(slot.name):
            values[slot] = new_password(subject.nonce())
    code = _code(entry.code, subject.nonce())
    if code is not None:
        values[entry.code] = code
    request = subject.build(entry.operation, replace=values).request
    if _signs(entry) and subject.throwaway is not None:
        request = subject.throwaway.authorize(request)
    return request


def _signs(entry: CodeEntry) -> bool:
    """Whether its requests carry the credential of the user."""
    return entry.operation.requires_credential or not entry.accounts


def _filled(slots: tuple[Slot, ...], account: Mapping[str, str]) -> dict[Slot, object]:
    values: dict[Slot, object] = {}
    for slot in slots:
        last = last_part(slot)
        if slot.is_text and names_user(last) and account:
            by_email = "mail" in last or slot.schema.get("format") == "email"
            first, second = ("email", "username") if by_email else ("username", "email")
            value = account.get(last) or account.get(first) or account.get(second)
            if value:
                values[slot] = value
    return values


def _code(slot: Slot, nonce: str) -> object | None:
    """Digits as the schema wants them, another each time; None where it wants something else."""
    number = int(nonce[2:], 16)
    schema = slot.schema
    if slot.kinds == {"integer"}:
        return 100_000 + number % 900_000
    pattern = str(schema.get("pattern") or "")
    usual = 4 if "pin" in last_part(slot) else 6
    for length in dict.fromkeys((usual, 6, 4, 8, 5, 7, 10)):
        if not int(schema.get("minLength") or 0) <= length <= int(schema.get("maxLength") or 99):
            continue
        digits = str(number % 10**length).rjust(length, "0")
        try:
            if not pattern or re.search(pattern, digits):
                return digits
        except re.error:
            return None
    return None
