"""Texts that match a regular expression, written from its syntax tree. Pure.

Patterns in documents are ECMA-262; what Python writes otherwise is translated.
"""

import re

# The syntax tree is no documented interface; `re` itself compiles from it in 3.11 and later.
import re._parser as syntax  # type: ignore[import-not-found]  # typeshed leaves it out
import string
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

_Class = tuple[tuple[str, Any], ...]
"""The parts of a character class: literals, ranges, categories, and NEGATE."""
_LONGEST = 4096
_SHORT = 16
"""A text of so many characters is searched in milliseconds by any pattern."""
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT"})
_ALPHANUMERIC = string.ascii_lowercase + string.ascii_uppercase + string.digits
_PUNCTUATION = "-_ .,:;/+=" + string.punctuation
_OTHERS = (*range(0x250), *range(0x370, 0x500), *range(0x3040, 0x3100))
_CATEGORIES = {
    "CATEGORY_DIGIT": str.isdecimal,
    "CATEGORY_WORD": lambda c: c.isalnum() or c == "_",
    "CATEGORY_SPACE": str.isspace,
}
_ECMA: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\(\?<(?![=!])"), "(?P<"),
    (re.compile(r"\\k<(\w+)>"), r"(?P=\1)"),
    (re.compile(r"(\[[^\]]*)\\[pP]\{[^}]*\}"), r"\1A-Za-z"),
    (re.compile(r"\\p\{N[^}]*\}"), "[0-9]"),
    (re.compile(r"\\p\{[^}]*\}"), "[A-Za-z]"),
    (re.compile(r"\\u\{0*([0-9a-fA-F]{1,4})\}"), lambda m: "\\u" + m[1].zfill(4)),
)


_SLASHED = re.compile(r"/(\^.*\$)/[a-z]*", re.DOTALL)
"""A literal of ECMAScript, `/^a$/i`, where a pattern should be."""


def matches_pattern(pattern: str, text: str, *, unsure: bool = True) -> bool:
    """Whether the pattern occurs in the text; `unsure` for a pattern that Python cannot read, and
    for one that could take for ever on a text of that length: `([a-z]+)*@`.
    """
    known = _compiled(pattern)
    if known is None:
        return True
    if len(text) > _SHORT and _may_explode(pattern):
        return unsure
    return known[0].search(text[:_LONGEST]) is not None


def text_matching(
    pattern: str, *, shortest: int = 0, longest: int | None = None, seed: Sequence[int] = (0,)
) -> str | None:
    """A text that matches and has a length within the bounds; None when none was found.

    `seed` varies the characters where the pattern leaves a choice: the same seed, the same text.
    """
    known = _compiled(pattern)
    if known is None:
        return None
    compiled, tree = known
    most = _LONGEST if longest is None else longest
    near = range(max(shortest - 4, 0), shortest + 1)
    for grown in dict.fromkeys((0, 1, 2, 3, 5, 8, 12, 20, *near)):
        for shift in range(3):
            text = _Writer(seed=tuple(seed) or (0,), shift=shift, grown=grown).write(tree)
            if len(text) < shortest and not _ends_anchored(tree):
                text += "a" * (shortest - len(text))
            if shortest <= len(text) <= most and (
                (len(text) > _SHORT and _may_explode(pattern)) or compiled.search(text)
            ):
                return text
    return None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> tuple[re.Pattern[str], Any] | None:
    if literal := _SLASHED.fullmatch(pattern):
        pattern = literal[1]
    for source, target in _ECMA:
        pattern = source.sub(target, pattern)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a future meaning of `[[`, none of ours
            return re.compile(pattern), syntax.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


@lru_cache(maxsize=1024)
def _may_explode(pattern: str) -> bool:
    """Whether searching may take exponential time: a repetition without end holds another one, and
    no character stands between two rounds that says where one ends.
    """
    known = _compiled(pattern)
    pending: list[Any] = [known[1]] if known is not None else []
    while pending:
        node = pending.pop()
        if isinstance(node, tuple) and len(node) == 2 and str(node[0]) in _REPEATS:
            _, high, part = node[1]
            if high > _SHORT and not _is_delimited(part):
                return True
            pending.append(part)
        elif isinstance(node, tuple | list | syntax.SubPattern):
            pending.extend(node)
    return False


def _is_delimited(tree: Any) -> bool:
    """Whether the rounds of a repetition of this can be told apart."""
    literals: list[str] = []
    repeated: list[_Class | None] = []
    for kind, value in _inside(tree):
        if kind == "LITERAL":
            literals.append(chr(value))
        elif kind in _REPEATS:
            if value[1] > 1:
                repeated.append(_class_of(value[2]))
        elif kind not in {"IN", "ANY", "NOT_LITERAL", "AT"}:
            repeated += [None] * bool(_holds_repeat(value))
    return not repeated or any(
        all(parts is not None and not _in_class(literal, parts) for parts in repeated)
        for literal in literals
    )


def _inside(tree: Any) -> list[tuple[str, Any]]:
    parts = [(str(kind), value) for kind, value in tree]
    while len(parts) == 1 and parts[0][0] == "SUBPATTERN":
        parts = [(str(kind), value) for kind, value in parts[0][1][3]]
    return parts


def _class_of(tree: Any) -> _Class | None:
    """The characters that a single-character pattern allows; None for anything longer."""
    parts = _inside(tree)
    if len(parts) != 1:
        return None
    kind, value = parts[0]
    if kind == "IN":
        return tuple((str(part), inner) for part, inner in value)
    if kind == "LITERAL":
        return (("LITERAL", value),)
    return (("NEGATE", None),) if kind == "ANY" else None


def _holds_repeat(node: Any) -> bool:
    if isinstance(node, tuple) and len(node) == 2 and str(node[0]) in _REPEATS:
        return bool(node[1][1] > 1)
    if isinstance(node, tuple | list | syntax.SubPattern):
        return any(_holds_repeat(part) for part in node)
    return False


def _ends_anchored(tree: Any) -> bool:
    return bool(len(tree)) and str(tree[-1][0]) == "AT"


class _Writer:
    """Writes one text; each choice takes the next number of the seed."""

    def __init__(self, *, seed: tuple[int, ...], shift: int, grown: int) -> None:
        self._seed, self._shift, self._grown = seed, shift, grown
        self._choices = 0
        self._length = 0
        self._groups: dict[int, str] = {}

    def write(self, tree: Any) -> str:
        return "".join(self._part(str(kind), value) for kind, value in tree)

    def _part(self, kind: str, value: Any) -> str:
        match kind:
            case "LITERAL":
                return self._counted(chr(value))
            case "NOT_LITERAL":
                return self._one((("NEGATE", None), ("LITERAL", value)))
            case "ANY":
                return self._one((("NEGATE", None), ("LITERAL", 10)))
            case "IN":
                return self._one(tuple((str(part), inner) for part, inner in value))
            case "BRANCH":
                options = value[1]
                return self.write(options[(self._shift) % len(options)])
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                low, high, part = value
                times = min(int(low) + self._grown, int(high))
                return "".join(self.write(part) for _ in range(times) if self._length < _LONGEST)
            case "SUBPATTERN":
                text = self.write(value[3])
                if value[0] is not None:
                    self._groups[value[0]] = text
                return text
            case "ATOMIC_GROUP":
                return self.write(value)
            case "GROUPREF":
                return self._counted(self._groups.get(value, ""))
        return ""  # AT, ASSERT, ASSERT_NOT: nothing is written, the search decides

    def _one(self, parts: _Class) -> str:
        candidates = _candidates(parts)
        if not candidates:
            return ""
        chosen = self._seed[self._choices % len(self._seed)] + self._shift
        self._choices += 1
        return self._counted(candidates[chosen % len(candidates)])

    def _counted(self, text: str) -> str:
        self._length += len(text)
        return text


@lru_cache(maxsize=1024)
def _candidates(parts: _Class) -> tuple[str, ...]:
    """Letters and digits, else punctuation, else the first of anything."""
    for plain in (_ALPHANUMERIC, _PUNCTUATION):
        found = tuple(character for character in plain if _in_class(character, parts))
        if found:
            return found
    return tuple(islice((chr(code) for code in _OTHERS if _in_class(chr(code), parts)), 1))


def _in_class(character: str, parts: _Class) -> bool:
    negated, found = False, False
    for kind, value in parts:
        match kind:
            case "NEGATE":
                negated = True
            case "LITERAL":
                found = found or ord(character) == value
            case "RANGE":
                found = found or value[0] <= ord(character) <= value[1]
            case "CATEGORY":
                name = str(value)
                inner = _CATEGORIES.get(name.replace("_NOT_", "_"))
                found = found or (inner is not None and inner(character) is not ("_NOT_" in name))
    return found is not negated
