"""Texts that an API may accept for a name and a format, most of them recognisable. Pure."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta

from withstand.openapi.naming import words
from withstand.openapi.operation import Schema
from withstand.openapi.pattern_text import matches_pattern, text_matching
from withstand.openapi.schema_fit import bound

PASSWORD = "Withstand-4-Tests!"  # noqa: S105 - what generated users get, nobody's secret
_SHORT_PASSWORD = "Ws-4!aZ9"  # noqa: S105 - for documents that allow eight characters
CARD = "4111111111111111"  # of no account: every payment provider's test number
_RECOGNISABLE = 16
"""Fewer characters of a nonce (14 digits, 56 bits) might occur somewhere by chance."""

_BY_FORMAT = {
    "date": "2030-01-15",
    "date-time": "2030-01-15T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "P1D",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "json-pointer": "/a",
    "relative-json-pointer": "0",
    "regex": "^a$",
    "decimal": "1.00",
    "int32": "1",
    "int64": "1",
}
_BY_WORD = {
    "country": "DE",
    "currency": "EUR",
    "language": "en",
    "locale": "en",
    "lang": "en",
    "timezone": "UTC",
    "tz": "UTC",
    "city": "Berlin",
    "street": "Main Street 1",
    "zip": "10115",
    "postcode": "10115",
    "postal": "10115",
    "ip": "192.0.2.1",
    "host": "example.com",
    "hostname": "example.com",
    "domain": "example.com",
    "color": "#336699",
    "colour": "#336699",
    "version": "1.0.0",
    "price": "1.00",
    "amount": "1.00",
    "time": "12:00:00",
    "cron": "0 0 * * *",
    "mime": "text/plain",
    "gender": "female",
}
_LATER = frozenset({"end", "ends", "until", "to", "expires", "expiry", "expiration", "due", "out"})
_DAYS = 2500
"""Over how many days, seven years, a day is spread that must be another one in each request."""
_BIRTH = frozenset({"birth", "birthday", "birthdate", "dob", "born"})
_PHONE = frozenset({"phone", "telephone", "mobile", "fax", "msisdn"})
_PHONE_NUMBER = re.compile(r"\+?(?=(?:\D*\d){7,15}\D*$)[\d ()./-]+")
_ADDRESS_OF_PAGE = frozenset(
    {"url", "uri", "link", "href", "website", "homepage", "webhook", "callback"}
)
_MUST_BE_UNIQUE = frozenset({"email", "mail", "username", "login", "nickname", "handle", "slug"})
_FREE = frozenset(
    {"title", "name", "note", "notes", "description", "comment", "content", "text", "message"}
    | {"summary", "subject", "body", "label", "bio", "about", "caption", "memo", "remark", "reason"}
    | {"secret", "detail", "details", "feedback", "review", "reply", "question", "answer"}
)

_FORMS = {
    "uuid": re.compile(r"(?i)[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "date-time": re.compile(r"(?i)\d{4}-\d\d-\d\d[t ]\d\d:\d\d.*"),
    "email": re.compile(r"[^@\s]+@[^@\s]+"),
    "uri": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S*"),
}


class Marks:
    """The nonce of one request, in the forms that its texts carry."""

    def __init__(self, nonce: str) -> None:
        self.nonce = nonce
        self._seed: tuple[int, ...] | None = None
        self.made: dict[str, None] = {}

    @property
    def seed(self) -> tuple[int, ...]:
        """Bytes that vary with the nonce; few requests need them."""
        if self._seed is None:
            self._seed = tuple(hashlib.sha256(self.nonce.encode()).digest())
        return self._seed

    def token(self, longest: int | None = None, *, ordinal: int = 0) -> str:
        """The nonce; shortened where the schema has less room, and then only as long as that."""
        suffix = f"-{ordinal}" if ordinal else ""
        room = None if longest is None else max(longest - len(suffix), 0)
        text = self.nonce
        if room is not None and len(text) > room:
            tail = hashlib.sha256(text.encode()).hexdigest()
            text = (text[:2] + tail)[:room]
        if len(text) >= min(_RECOGNISABLE, len(self.nonce)):
            self.made[text] = None
        return text + suffix


_Candidate = str | Callable[[Marks], str]
"""A text, or what makes one of a request's marks."""


def has_format(value: object, schema: Schema) -> bool:
    """Whether an example is of the format beside it, for those that servers insist on."""
    form = _FORMS.get(str(schema.get("format")))
    return form is None or not isinstance(value, str) or form.fullmatch(value) is not None


def is_personal(name: str) -> bool:
    """Whether two things with the same value of that name may not exist, whatever the example."""
    last = words(name)[-1]
    return last in _MUST_BE_UNIQUE or last in _PHONE or words(name)[-2:] == ("user", "name")


def is_phone_number(name: str, example: object) -> bool:
    """Whether an example is a telephone number, of seven to fifteen digits."""
    told = {*words(name)}
    named = told & _PHONE or told == {"number"} or told >= {"contact", "number"}
    return bool(named) and isinstance(example, str) and bool(_PHONE_NUMBER.fullmatch(example))


def another_number(example: str, marks: Marks) -> str:
    """A telephone number of the example's form, another one in each request.

    APIs insist on the form that they show, and that nobody else has the number.
    """
    digits = iter(f"{int.from_bytes(bytes(marks.seed[:8]), 'big'):020}"[::-1])
    return example[:4] + "".join(next(digits) if c.isdecimal() else c for c in example[4:])


def is_free_text(name: str) -> bool:
    """Whether people write under that name what they like."""
    return words(name)[-1] in _FREE


def text_for(name: str, schema: Schema, marks: Marks, *, ordinal: int = 0) -> str | None:
    """A text that the schema allows; None when none was found."""
    return text_maker(name, schema, ordinal=ordinal)(marks)


def text_maker(name: str, schema: Schema, *, ordinal: int = 0) -> Callable[[Marks], str | None]:
    """What gives a text that the schema allows, for one request after another.

    First what the format asks for, then what the name suggests, then the nonce, and then whatever
    the pattern leaves. None when none was found.
    """
    low, high = bound(schema, "minLength") or 0, bound(schema, "maxLength")
    pattern = schema.get("pattern")
    candidates = tuple(_candidates(name, schema, ordinal, low, high))

    def make(marks: Marks) -> str | None:
        for candidate in candidates:
            text = candidate if isinstance(candidate, str) else candidate(marks)
            if len(text) < low or (high is not None and len(text) > high):
                continue
            if not isinstance(pattern, str) or matches_pattern(pattern, text, unsure=False):
                return text
        if isinstance(pattern, str):
            seed = tuple(number + ordinal for number in marks.seed)
            return text_matching(pattern, shortest=low, longest=high, seed=seed)
        return None

    return make


def on_another_day(text: str, marks: Marks) -> str | None:
    """A future day, with its time, moved as far as every other of the request; None for what is
    none.
    """
    if not text.startswith("20") or _FORMS["date"].match(text) is None:
        return None
    with suppress(ValueError):  # a pattern may also allow the month 83
        return _days_later(text, int.from_bytes(bytes(marks.seed[-4:]), "big") % _DAYS)
    return None


def _days_later(text: str, days: int) -> str:
    return f"{date.fromisoformat(text[:10]) + timedelta(days=days)}{text[10:]}"


def _candidates(
    name: str, schema: Schema, ordinal: int, low: int, high: int | None
) -> Iterator[_Candidate]:
    form = schema.get("format")
    by_format = _of_format(form, name, ordinal, high) if isinstance(form, str) else None
    if by_format is not None:
        yield by_format
    last = words(name)[-1]
    if form == "password" or last in {"password", "passwd", "pwd", "passphrase", "confirmation"}:
        yield from (PASSWORD, _SHORT_PASSWORD, "1379", PASSWORD * (1 + low // len(PASSWORD)))
    by_name = _of_name(name, ordinal, high) if form is None else None
    if by_name is not None:
        yield by_name
    yield lambda marks: marks.token(ordinal=ordinal)
    if high is not None:
        yield lambda marks: marks.token(high, ordinal=ordinal)
        yield str(ordinal)[:high]

    def longer(marks: Marks) -> str:
        token = marks.token(ordinal=ordinal)
        return (token + " and some more text" * (low // 18 + 1))[: max(low, len(token))]

    yield longer


def _of_format(form: str, name: str, ordinal: int, high: int | None) -> _Candidate | None:
    match form:
        case "email" | "idn-email":
            domain = "@example.com" if high is None or high >= 20 else "@a.io"
            local = min(64, 64 if high is None else max(high - len(domain), 1))
            return lambda marks: marks.token(local, ordinal=ordinal) + domain
        case "uuid" | "guid":
            return lambda marks: _uuid(marks, ordinal)
        case "uri" | "url" | "iri" | "uri-template":
            room = None if high is None else max(high - 20, 1)
            return lambda marks: f"https://example.com/{marks.token(room, ordinal=ordinal)}"
        case "uri-reference" | "iri-reference":
            rest = None if high is None else high - 1
            return lambda marks: f"/{marks.token(rest, ordinal=ordinal)}"
        case "byte" | "base64":
            return lambda marks: base64.b64encode(marks.token(ordinal=ordinal).encode()).decode()
        case "phone" | "tel":
            return lambda marks: _phone(marks, ordinal)
        case "date" | "date-time":
            if _BIRTH & {*words(name)}:
                return f"1990{_BY_FORMAT[form][4:]}"
            text = _BY_FORMAT[form]
            if not _LATER & {*words(name)}:
                return text
            return text.replace("T12", "T13") if "T" in text else _days_later(text, 1)
    return _BY_FORMAT.get(form)


def _of_name(name: str, ordinal: int, high: int | None) -> _Candidate | None:
    parts = words(name)
    last = parts[-1]
    if last in {"email", "mail"}:
        return _of_format("email", name, ordinal, high)
    if last in _PHONE or parts[-2:] == ("phone", "number"):
        return _of_format("phone", name, ordinal, high)
    if last in _ADDRESS_OF_PAGE:
        return _of_format("uri", name, ordinal, high)
    if last in {"uuid", "guid"}:
        return _of_format("uuid", name, ordinal, high)
    if last == "date" or _BIRTH & {*parts}:
        return _of_format("date", name, ordinal, high)
    if len(parts) > 1 and last == "at":
        return _of_format("date-time", name, ordinal, high)
    if parts[-2:] in {("card", "number"), ("cc", "number")} or last == "pan":
        return CARD
    if parts[-2:] in {("country", "code"), ("currency", "code"), ("language", "code")}:
        return _BY_WORD[parts[-2]]
    if parts[-2:] in {("zip", "code"), ("postal", "code")}:
        return "10115"
    return None if ordinal else _BY_WORD.get(last)


def _uuid(marks: Marks, ordinal: int) -> str:
    digits = hashlib.sha256(f"{marks.nonce}{ordinal}".encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:30]}"


def _phone(marks: Marks, ordinal: int) -> str:
    """A number with area code 555, which is given to nobody, and seven digits of this request."""
    digits = int.from_bytes(bytes(marks.seed[:8]), "big") + ordinal
    return f"+1555{digits % 10**7:07d}"
