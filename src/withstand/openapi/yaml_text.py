"""YAML → plain values by the core schema of YAML 1.2, which is what OpenAPI asks for. Pure.

PyYAML's own constructor follows YAML 1.1 (`no` is False, `2024-01-01` a date, `1:30` ninety) and
recurses: a few thousand brackets end the process. So only its event stream is used here: no
recursion, twice as fast, and keys are always text (`200:` is the key "200").
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_DEPTH = 200
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,300})")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")


class YamlSyntaxError(ValueError):
    """`line` (from 1) says where, when that is known."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that has begun and not ended."""

    value: dict[str, Any] | list[Any]
    anchor: str | None
    key: str | None = None
    merged: list[Any] = field(default_factory=list)


def read_yaml(text: str) -> Any:
    """The single document in a YAML text. Raises `YamlSyntaxError`."""
    try:
        return _read(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        last = text.count("\n") + 1  # the parser counts on behind the end
        raise YamlSyntaxError(str(problem), min(mark.line + 1, last) if mark else None) from error


def _read(text: str) -> Any:
    anchors: dict[str, Any] = {}
    stack: list[_Open] = []
    documents: list[Any] = []
    for event in yaml.parse(text, Loader=_LOADER):
        match event:
            case yaml.ScalarEvent():
                value = _key_or_value(stack, event)
                if event.anchor:
                    anchors[event.anchor] = value
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                if len(stack) >= MAX_DEPTH:
                    raise YamlSyntaxError(f"it nests deeper than {MAX_DEPTH} levels", _line(event))
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                stack.append(_Open(value={} if is_mapping else [], anchor=event.anchor))
                continue
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                done = stack.pop()
                value = _with_merged(done)
                if done.anchor:
                    anchors[done.anchor] = value
            case yaml.AliasEvent():
                if event.anchor not in anchors:
                    raise YamlSyntaxError(f"alias *{event.anchor} has no value", _line(event))
                value = anchors[event.anchor]
            case _:
                continue
        if stack:
            _put(stack[-1], value, event)
        else:
            documents.append(value)
            if len(documents) > 1:
                raise YamlSyntaxError("it holds more than one document", _line(event))
    return documents[0] if documents else None


def _key_or_value(stack: list[_Open], event: Any) -> Any:
    """A key stays the text it is; a value is what the core schema makes of it."""
    text: str = event.value
    is_key = bool(stack) and isinstance(stack[-1].value, dict) and stack[-1].key is None
    if is_key or not event.implicit[0]:  # quoted, or tagged
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _LEADING_ZERO.match(text):
        return text  # a post code or a version more often than a number
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if abs(number) != float("inf") else text
    return text


def _put(parent: _Open, value: Any, event: Any) -> None:
    if isinstance(parent.value, list):
        parent.value.append(value)
    elif parent.key is None:
        if not isinstance(value, str):
            raise YamlSyntaxError("a key is no text", _line(event))
        parent.key = value
    else:
        if parent.key == "<<":
            parent.merged.extend(value if isinstance(value, list) else [value])
        else:
            parent.value[parent.key] = value
        parent.key = None


def _with_merged(done: _Open) -> Any:
    """The finished value; `<<` adds only the keys that the mapping does not have by itself."""
    if isinstance(done.value, dict):
        for base in done.merged:
            if isinstance(base, dict):
                for key, value in base.items():
                    done.value.setdefault(key, value)
    return done.value


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
