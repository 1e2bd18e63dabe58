"""Responses carry whole card numbers, or the code from the back of the card."""

import re
from functools import lru_cache
from typing import Any, Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.answers.shape import leaves
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    FailedMany,
    Outcome,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Severity
from withstand.scan.seen import answers, carries, concealed_evidence, keys_of, where
from withstand.scan.subject import Subject

_NUMBER: Final = "a whole card number"
_CODE: Final = "the security code of a card"
_CODE_KEYS: Final = frozenset(
    {"cvv", "cvc", "cvv2", "cvc2", "cardcvv", "cardcvc", "cardsecuritycode", "cardverificationcode"}
)
_NUMBER_KEYS: Final = frozenset(
    {"pan", "card", "cc", "ccnumber", "ccnum", "ccno", "primaryaccountnumber"}
)
_PAYMENT: Final = re.compile(r"(?:^|[/_-])(?:cards?|payment-?_?(?:method|card|source)s?)(?:[/?]|$)")
"""Paths about means of payment."""
_NOT_PAYMENT: Final = re.compile(
    r"sim|idcard|identity|giftcard|loyalty|member|library|health|insurance|business|vcard|postcard"
)


def applies(subject: Subject) -> Skipped | None:
    return None if subject.observed or subject.baselines else Skipped(reason="nothing was answered")


def run(subject: Subject) -> Steps[Outcome]:
    yield from ()
    found: dict[str, list[tuple[Exchange, str]]] = {}
    for exchange in answers(subject, documented=True):
        response = exchange.response
        assert response is not None, "answers() gives exchanges with a response"
        about = _is_about_cards(exchange.request.operation_path.lower())
        for key, value in leaves(response.json()):
            what = _card_data(f"card_{key}" if about and _is_number(key) else key, value)
            # The answer that repeats what was just sent tells its sender nothing new.
            if what is not None and not carries(exchange.request, str(value)):
                found.setdefault(what, []).append((exchange, str(value)))
    if not found:
        return PASSED
    return FailedMany(
        failures=tuple(_failure(subject, what, pairs) for what, pairs in found.items())
    )


def _failure(subject: Subject, what: str, pairs: list[tuple[Exchange, str]]) -> Failed:
    exchanges = [exchange for exchange, _ in pairs]
    return Failed(
        detail=f"{what[0].upper()}{what[1:]} is in the responses of {where(subject, exchanges)}.",
        evidence=concealed_evidence(subject, f"The response holds {what}", pairs),
        operations=keys_of(subject, exchanges),
        parameter=what,
    )


def _card_data(key: str, value: Any) -> str | None:
    what = _named(key)
    if what is None or isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    right = re.fullmatch(r"\d{3,4}", text) is not None if what == _CODE else _is_card_number(text)
    return what if right else None


@lru_cache(maxsize=1024)
def _named(key: str) -> str | None:
    """What a property of that name holds, when its value is of that form."""
    plain = re.sub(r"[^a-z0-9]", "", key.lower())
    if plain in _CODE_KEYS:
        return _CODE
    return _NUMBER if _names_card(plain) else None


def _is_about_cards(path: str) -> bool:
    other = _NOT_PAYMENT.search(re.sub(r"[^a-z]", "", path))
    return _PAYMENT.search(path) is not None and other is None


def _is_number(key: str) -> bool:
    """Whether a name says no more than that it is a number: whose, the path may tell."""
    return key.rsplit(".", 1)[-1].lower() in {"number", "num", "no"}


def _names_card(plain: str) -> bool:
    if plain in _NUMBER_KEYS:
        return True
    numbered = any(plain.endswith(word) for word in ("number", "num", "no", "pan"))
    about_card = "card" in plain or plain.startswith(("cc", "pan"))
    return numbered and about_card and _NOT_PAYMENT.search(plain) is None


def _is_card_number(text: str) -> bool:
    """13 to 19 digits with the check digit of ISO/IEC 7812-1 (Luhn), spaces and hyphens aside."""
    if not re.fullmatch(r"[2-6]\d{3}(?:[ -]?\d){9,15}", text):
        return False
    digits = [int(character) for character in text if character.isdigit()]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _server(number: str) -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        cards = [{"id": 1, "brand": "visa", "card_number": number, "expires": "12/29"}]
        return answer(200, {"cards": cards, "order_number": "4012888888881881"})

    return server


def vulnerable() -> Server:
    return _server("4012 8888 8888 1881")


def safe() -> Server:
    return _server("**** **** **** 1881")


CHECK = Check(
    name="card-number-in-response",
    title="Responses carry whole card numbers",
    family="data exposure",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.READ_ONLY,
    looks_back=True,
    references=References(
        cwe=(359, 200), owasp=("API3:2023",), asvs=("14.2.6",), wstg=("WSTG-APIT-03",)
    ),
    explanation=(
        "A response holds a payment card's whole number, or the code from its back. The card "
        "industry's rules (PCI DSS) allow no more than the first and the last digits to be shown, "
        "and forbid keeping the code at all. The check looks for properties named after cards "
        "whose value has 13 to 19 digits with a right check digit, and for security codes that "
        "are not empty, in every response that the scan received."
    ),
    remedy=(
        "Keep card numbers with the payment provider and store its token. Answer with the last "
        "four digits and the brand. Never store the security code; delete those that are stored."
    ),
    run=run,
    applies=applies,
    example=Example(paths={"/cards": {"get": operation()}}, vulnerable=vulnerable, safe=safe),
)
