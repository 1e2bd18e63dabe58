"""Texts that an API may accept for a name and a format, most of them recognisable. Pure."""

import base64
import hashlib
import re
from collections.abc import Iterator

from withstand.openapi.naming import words
from withstand.openapi.operation import Schema
from withstand.openapi.pattern_text import matches_pattern, text_matching
from withstand.openapi.schema_fit import bound

PASSWORD = "Withstand-4-Tests!"  # noqa: S105 - what generated users get, nobody's secret
_SHORT_PASSWORD = "Ws-4!aZ9"  # noqa: S105 - for documents that allow eight characters
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
_LATER = frozenset({"end", "ends", "until", "to", "expires", "expiry", "expiration", "due"})
_BIRTH = frozenset({"birth", "birthday", "birthdate", "dob", "born"})
_PHONE = frozenset({"phone", "telephone", "mobile", "fax", "msisdn"})
_ADDRESS_OF_PAGE = frozenset(
    {"url", "uri", "link", "href", "website", "homepage", "webhook", "callback"}
)
_MUST_BE_UNIQUE = frozenset({"email", "mail", "username", "login", "nickname", "handle", "slug"})
_FREE = frozenset(
    {"title", "name", "note", "notes", "description", "comment", "content", "text", "message"}
    | {"summary", "subject", "body", "label", "bio", "about", "caption", "memo", "remark", "reason"}
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


def has_format(value: object, schema: Schema) -> bool:
    """Whether an example is of the format beside it, for those that servers insist on."""
    form = _FORMS.get(str(schema.get("format")))
    return form is None or not isinstance(value, str) or form.fullmatch(value) is not None


def is_personal(name: str) -> bool:
    """Whether two things with the same value of that name may not exist, whatever the example."""
    last = words(name)[-1]
    return last in _MUST_BE_UNIQUE or last in _PHONE or words(name)[-2:] == ("user", "name")


def is_free_text(name: str) -> bool:
    """Whether people write under that name what they like."""
    return words(name)[-1] in _FREE


def text_for(name: str, schema: Schema, marks: Marks, *, ordinal: int = 0) -> str | None:
    """A text that the schema allows; None when none was found.

    First what the format asks for, then what the name suggests, then the nonce, and then whatever
    the pattern leaves.
    """
    low, high = bound(schema, "minLength") or 0, bound(schema, "maxLength")
    pattern = schema.get("pattern")
    for candidate in _candidates(name, schema, marks, ordinal, low, high):
        if len(candidate) < low or (high is not None and len(candidate) > high):
            continue
        if not isinstance(pattern, str) or matches_pattern(pattern, candidate, unsure=False):
            return candidate
    if isinstance(pattern, str):
        seed = tuple(number + ordinal for number in marks.seed)
        return text_matching(pattern, shortest=low, longest=high, seed=seed)
    return None


def _candidates(
    name: str, schema: Schema, marks: Marks, ordinal: int, low: int, high: int | None
) -> Iterator[str]:
    form = schema.get("format")
    by_format = _of_format(form, name, marks, ordinal, high) if isinstance(form, str) else None
    if by_format is not None:
        yield by_format
    last = words(name)[-1]
    if form == "password" or last in {"password", "passwd", "pwd", "passphrase", "confirmation"}:
        yield from (PASSWORD, _SHORT_PASSWORD, "1379", PASSWORD * (1 + low // len(PASSWORD)))
    if form is None:
        yield from _of_name(name, marks, ordinal, high)
    yield marks.token(ordinal=ordinal)
    if high is not None:
        yield marks.token(high, ordinal=ordinal)
        yield str(ordinal)[:high]
    token = marks.token(ordinal=ordinal)
    yield (token + " and some more text" * (low // 18 + 1))[: max(low, len(token))]


def _of_format(form: str, name: str, marks: Marks, ordinal: int, high: int | None) -> str | None:
    match form:
        case "email" | "idn-email":
            domain = "@example.com" if high is None or high >= 20 else "@a.io"
            local = min(64, 64 if high is None else max(high - len(domain), 1))
            return marks.token(local, ordinal=ordinal) + domain
        case "uuid" | "guid":
            digits = hashlib.sha256(f"{marks.nonce}{ordinal}".encode()).hexdigest()
            return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:30]}"
        case "uri" | "url" | "iri" | "uri-template":
            room = None if high is None else max(high - 20, 1)
            return f"https://example.com/{marks.token(room, ordinal=ordinal)}"
        case "uri-reference" | "iri-reference":
            return f"/{marks.token(None if high is None else high - 1, ordinal=ordinal)}"
        case "byte" | "base64":
            return base64.b64encode(marks.token(ordinal=ordinal).encode()).decode()
        case "phone" | "tel":
            return _phone(marks, ordinal)
        case "date" | "date-time":
            year = 1990 if _BIRTH & {*words(name)} else 2030 + bool(_LATER & {*words(name)})
            return str(year) + _BY_FORMAT[form][4:]
    return _BY_FORMAT.get(form)


def _of_name(name: str, marks: Marks, ordinal: int, high: int | None) -> Iterator[str]:
    parts = words(name)
    last = parts[-1]
    if last in {"email", "mail"}:
        yield from filter(None, [_of_format("email", name, marks, ordinal, high)])
    elif last in _PHONE or parts[-2:] == ("phone", "number"):
        yield _phone(marks, ordinal)
    elif last in _ADDRESS_OF_PAGE:
        yield from filter(None, [_of_format("uri", name, marks, ordinal, high)])
    elif last in {"uuid", "guid"}:
        yield from filter(None, [_of_format("uuid", name, marks, ordinal, high)])
    elif last == "date" or _BIRTH & {*parts}:
        yield from filter(None, [_of_format("date", name, marks, ordinal, high)])
    elif len(parts) > 1 and last == "at":
        yield from filter(None, [_of_format("date-time", name, marks, ordinal, high)])
    elif parts[-2:] in {("country", "code"), ("currency", "code"), ("language", "code")}:
        yield _BY_WORD[parts[-2]]
    elif parts[-2:] in {("zip", "code"), ("postal", "code")}:
        yield "10115"
    elif last in _BY_WORD and not ordinal:
        yield _BY_WORD[last]


def _phone(marks: Marks, ordinal: int) -> str:
    """A number with area code 555, which is given to nobody, and seven digits of this request."""
    digits = int.from_bytes(bytes(marks.seed[:8]), "big") + ordinal
    return f"+1555{digits % 10**7:07d}"
