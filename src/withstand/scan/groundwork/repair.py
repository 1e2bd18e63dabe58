"""Another value for an input to which an answer objected: one or two tries, no search. Pure."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from withstand.client.exchange import Response
from withstand.openapi.body_encoding import Upload, is_file
from withstand.openapi.naming import words
from withstand.openapi.pattern_text import text_matching
from withstand.openapi.plausible_number import NoValueError, number_for
from withstand.openapi.plausible_text import CARD, Marks, text_for
from withstand.openapi.schema_fit import kinds_of
from withstand.openapi.slot import Slot
from withstand.scan.answers.complaints import Complaint, complaints

UNIQUE: Final = object()
"""In place of a value: the input must be another one in every request."""

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_TAKEN: Final = re.compile(
    r"\b(unique|already|taken|exists?|duplicate[ds]?|in use|conflict\w*|registered)\b", re.I
)
_ABSENT: Final = re.compile(
    r"(does|do|did) ?n[o']t exist|doesn.t exist|no such|not found|unknown|unable to find", re.I
)
_ID: Final = re.compile(r"\b(uuid|guid|pk|object ?id|id|primary key|hyperlink|reference)\b", re.I)
_ONE_OF: Final = re.compile(
    r"(?:one of|must be|should be|expected|choices? (?:are|is)|allowed(?: values)?(?: are)?"
    r"|values?:|\bin:?(?= ?[\[(])|either|valid options?(?: are)?|supported)[^\w'\"`\[({]*",
    re.I,
)
_QUOTED: Final = re.compile(
    r"[\"'`\u201c\u2018]([^\"'`\u201c\u201d\u2018\u2019]{1,60})[\"'`\u201d\u2019]"
)
_LISTED: Final = re.compile(
    r"[\[({]([^\])}]{1,300})[\])}]|^((?:[\w-]+\s*(?:[,|/]|\bor\b)\s*)+(?:or\s+)?[\w-]+)"
)
_LEAST: Final = re.compile(
    rf"(?:at least|minimum(?: of| is)?|greater than or equal to|>=|≥|min(?:imum)?\D{{0,12}}|"
    rf"no less than|longer than|more than|greater than|>|above|bigger than|exceed\D{{0,6}})"
    rf"\s*{_NUMBER}",
    re.I,
)
_MOST: Final = re.compile(
    rf"(?:at most|maximum(?: of| is)?|less than or equal to|<=|≤|max(?:imum)?\D{{0,12}}|"
    rf"no more than|shorter than|less than|<|below|up to|not exceed\D{{0,6}})\s*{_NUMBER}",
    re.I,
)
_BETWEEN: Final = re.compile(rf"between\s*{_NUMBER}\s*(?:and|-|to)\s*{_NUMBER}", re.I)
_EXACTLY: Final = re.compile(r"(?:exactly|length of|must be) (\d{1,3}) (?:char|digit|letter)", re.I)
_PATTERN: Final = re.compile(r"(\^[^\s\"']+\$)")
_FORMATS: Final = (
    ("date-time", r"date-?\s?time|timestamp|iso[- ]?8601"),
    ("email", r"e-?mail"),
    ("uuid", r"\buu?id\b|guid"),
    ("uri", r"\bur[il]s?\b"),
    ("date", r"\bdate\b|yyyy"),
    ("ipv4", r"\bip\b|ipv4"),
)
_FUTURE: Final = re.compile(
    r"future|after|later than|not be in the past|already passed|upcoming", re.I
)
_PAST: Final = re.compile(r"in the past|before|earlier|not be in the future|must be past", re.I)
_FILE: Final = re.compile(
    r"not a file|no file|encoding type|file (?:is |was )?(?:required|missing|expected)"
    r"|(?:must be|expected|upload|select|choose|provide) (?:an? )?(?:valid )?(?:file|image)",
    re.I,
)
_IMAGE: Final = re.compile(r"\b(image|picture|photo|avatar|logo|thumbnail)\b", re.I)
_TEXT_FILE: Final = Upload(name="withstand.txt", media_type="text/plain", content=b"withstand\n")
_DRAWING: Final = Upload(
    name="withstand.png",
    media_type="image/png",
    content=base64.b64decode(  # one black point
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
    ),
)
_STRONG: Final = "Ws-Repaired-4-Tests!x9"


def repaired(
    response: Response,
    slots: Sequence[Slot],
    sent: Mapping[Slot, object],
    nonce: Callable[[], str],
    known: Callable[[Slot], object | None] = lambda _slot: None,
) -> Mapping[Slot, object]:
    """Other values for the inputs that the answer names; nothing where it names none.

    `UNIQUE` stands for "a new one in each request", a function for the same by its marks: a code
    that has to look some way is another one in each request, too. `known` gives what the identity
    has seen for an input: the id of a project for `project`, the word of a choice for `status`.
    """
    found: dict[Slot, object] = {}
    for complaint in complaints(response, slots):
        marks = Marks(nonce())
        value = next(
            (
                each
                for each in _values(complaint, sent.get(complaint.slot), marks, known)
                if each is not None and (each is UNIQUE or each != sent.get(complaint.slot, UNIQUE))
            ),
            None,
        )
        if value is not None:
            found[complaint.slot] = value
    files = [slot for slot in slots if is_file(slot.schema)]
    if not found and len(files) == 1 and not isinstance(sent.get(files[0]), Upload):
        found[files[0]] = _DRAWING  # a text was sent: most uploads are of pictures
    return found


def _values(
    complaint: Complaint, sent: object, marks: Marks, known: Callable[[Slot], object | None]
) -> Iterator[object]:
    """Values to try, the likeliest first."""
    slot, message = complaint.slot, complaint.message
    schema: dict[str, Any] = dict(slot.schema)
    name = slot.name.rsplit(".", 1)[-1]
    kinds = kinds_of(schema)
    absent = _ABSENT.search(message) is not None
    if absent or _ID.search(message):
        yield known(slot)
    if absent:  # another one may be somebody else's
        return
    if _TAKEN.search(message):
        if "string" in kinds:
            yield UNIQUE
        elif "integer" in kinds:
            yield 1000 + int.from_bytes(bytes(marks.seed[:3]), "big")
    if is_file(schema) and sent is not None:
        return
    if _FILE.search(message):
        yield _DRAWING if _IMAGE.search(f"{message} {' '.join(words(name))}") else _TEXT_FILE
        return
    if isinstance(sent, int | float) and not isinstance(sent, bool) and "string" not in kinds:
        yield from _numbers(message, sent)
    if (isinstance(sent, str) or sent is None) and re.search(r"pass(word|wd)|pwd", name, re.I):
        yield _STRONG
    if isinstance(sent, str) or sent is None:
        yield from _dates(message, name, schema, sent)
        yield from _options(message)
        yield from _lengths(message, name, schema, marks)
        pattern = _PATTERN.search(message)
        if pattern and text_matching(pattern[1], seed=marks.seed):
            yield partial(_matching, pattern[1])
        yield from _of_format(message, name, marks)
    if re.search(r"\b(integer|number|numeric|int|float|decimal|digits?)\b", message, re.I):
        yield 1 if not isinstance(sent, int) else 10
        yield "1"
    if re.search(r"\bbool(ean)?\b", message, re.I):
        yield True
    if re.search(r"\b(string|str|text)\b", message, re.I) and not isinstance(sent, str):
        yield str(sent if sent is not None else marks.token(20))
    if re.search(r"alpha|letters", message, re.I):
        yield "Alexandra"
    yield from _others(name, schema, kinds, sent, marks)
    yield known(slot)


def _matching(pattern: str, marks: Marks) -> str | None:
    return text_matching(pattern, seed=marks.seed)


def _numbers(message: str, sent: int | float) -> Iterator[object]:
    whole = isinstance(sent, int)
    if match := _BETWEEN.search(message):
        yield _number((float(match[1]) + float(match[2])) / 2, whole=whole)
    if match := _LEAST.search(message):
        yield _number(float(match[1]) + 1, whole=whole)
    if match := _MOST.search(message):
        yield _number(max(float(match[1]) - 1, 0), whole=whole)
    if re.search(r"negative|below zero", message, re.I) and sent < 0:
        yield 1
    if re.search(r"positive|greater|larger|too (small|low)|at least|minimum", message, re.I):
        yield sent * 100 if sent else 100
    if re.search(r"too (big|large|high)|smaller|exceed|stock|insufficient|balance", message, re.I):
        yield 1


def _dates(message: str, name: str, schema: Mapping[str, Any], sent: object) -> Iterator[str]:
    looks = str(schema.get("format", "")).startswith("date") or re.match(r"\d{4}-\d\d", str(sent))
    if not looks and not {"date", "at", "day", "start", "end", "until"} & {*words(name)}:
        return
    tail = str(sent)[10:] if isinstance(sent, str) and "T" in sent else ""
    if schema.get("format") == "date-time" and not tail:
        tail = "T12:00:00Z"
    if _FUTURE.search(message) and not re.search(r"not be in the future", message, re.I):
        later = bool({"end", "until", "to", "expires", "due"} & {*words(name)})
        yield f"{2035 + later}-06-12{tail}"
    if _PAST.search(message):
        yield f"1990-06-12{tail}"


def _options(message: str) -> Iterator[str]:
    """The first of the values that a message lists, behind the last word for that."""
    for match in reversed(list(_ONE_OF.finditer(message))):
        rest = message[match.end() :][:400]
        quoted = _QUOTED.findall(rest)
        if quoted:
            yield from quoted[:2]
            return
        listed = _LISTED.search(rest)
        for text in _parts(listed[1] or listed[2]) if listed else ():
            yield text
            return


def _parts(text: str) -> list[str]:
    parts = (part.strip(" '\"`") for part in re.split(r"\s*(?:,|\||/|\bor\b|\band\b)\s*", text))
    return [part for part in parts if part]


def _lengths(message: str, name: str, schema: dict[str, Any], marks: Marks) -> Iterator[str]:
    if not re.search(r"char|length|long|short|letters|digits|size", message, re.I):
        return
    changed = dict(schema)
    if match := _EXACTLY.search(message):
        changed |= {"minLength": int(match[1]), "maxLength": int(match[1])}
        if "digit" in match[0]:
            changed["pattern"] = rf"^\d{{{match[1]}}}$"
    elif match := _BETWEEN.search(message):
        changed |= {"minLength": int(float(match[1])), "maxLength": int(float(match[2]))}
    else:
        if match := _LEAST.search(message):
            changed["minLength"] = min(int(float(match[1])) + 1, 2000)
        if match := _MOST.search(message):
            changed["maxLength"] = max(int(float(match[1])) - 1, 1)
        if "minLength" not in changed and "maxLength" not in changed:
            changed["maxLength" if re.search(r"too long", message, re.I) else "minLength"] = 16
    text = text_for(name, changed, marks)
    if text is not None:
        yield text


def _of_format(message: str, name: str, marks: Marks) -> Iterator[str]:
    said = f"{message} {name}"
    if re.search(r"phone|e\.?164|mobile", said, re.I):
        yield "+14155552671"
        yield "4155552671"
    if re.search(r"card|\bpan\b|luhn", message, re.I):
        yield CARD
    for form, pattern in _FORMATS:
        if re.search(pattern, said, re.I) and (text := text_for(name, {"format": form}, marks)):
            yield text
    if re.search(r"\btime\b|hh:mm", message, re.I):
        yield "12:00"


def _others(
    name: str, schema: dict[str, Any], kinds: Sequence[str], sent: object, marks: Marks
) -> Iterator[object]:
    allowed = schema.get("enum")
    if isinstance(allowed, list):
        yield from (value for value in allowed if value is not None)
        return
    if "string" in kinds:
        text = text_for(name, schema, marks)
        if text is not None and sent is None:
            yield text
    elif kinds and kinds[0] in {"integer", "number"}:
        try:
            yield number_for(schema, whole=kinds[0] == "integer", ordinal=0 if sent is None else 9)
        except NoValueError:
            return
    elif "boolean" in kinds:
        yield not sent


def _number(value: float, *, whole: bool) -> int | float:
    return int(value) if whole or value.is_integer() else value
