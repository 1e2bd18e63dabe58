"""Bytes → the plain mapping of an OpenAPI document, or one sentence on why they are none. Pure."""

import json
import re
from typing import Any

from withstand.errors import UsageError
from withstand.openapi.yaml_text import MAX_DEPTH, YamlSyntaxError, read_yaml

_KEY_LINE = re.compile(r"""^([ \t]*)["']?([^"'\s][^"'\n]*?)["']?[ \t]*:(?:[ \t]|$)""", re.MULTILINE)
_OWN_ADDRESS = "give the address of the document itself, such as /openapi.json or /v3/api-docs"
_FORMATS = "an OpenAPI document is JSON or YAML"


def read_mapping(data: bytes, *, source: str) -> tuple[dict[str, Any], str]:
    """The document as a mapping, and its text. Raises `UsageError` naming `source`."""
    text = _decoded(data, source)
    start = text.lstrip()[:500].lower()
    if not start:
        raise UsageError(f"{source} is empty", hint=_FORMATS)
    if start.startswith("<"):
        kind = "an XML document" if "<?xml" in start and "<html" not in start else "an HTML page"
        raise UsageError(f"{source} is {kind}, no OpenAPI document", hint=_OWN_ADDRESS)
    value = _json(text, source) if start[0] in "{[" else _yaml(text, source)
    if not isinstance(value, dict):
        found = "a list" if isinstance(value, list) else "a single value"
        raise UsageError(f"{source} holds {found}, no OpenAPI document", hint=_OWN_ADDRESS)
    if _deeper_than(value, MAX_DEPTH):
        raise UsageError(
            f"{source} nests deeper than {MAX_DEPTH} levels",
            hint="an OpenAPI document nests a few dozen: look for what was generated wrongly",
        )
    return value, text


def _decoded(data: bytes, source: str) -> str:
    try:
        return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{source} is no text: byte {error.start} is not {error.encoding}",
            hint=f"{_FORMATS}, in UTF-8",
        ) from error


def _json(text: str, source: str) -> Any:
    """JSON, or YAML that begins like JSON. When it is neither, the JSON error is the better one."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        try:
            return read_yaml(text)
        except YamlSyntaxError:
            raise UsageError(
                f"{source} is no valid JSON: {error.msg} in line {error.lineno}",
                hint=f"correct line {error.lineno}, column {error.colno}",
            ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{source} is no usable JSON: it nests too deep or holds a number without end",
            hint=_OWN_ADDRESS,
        ) from error


def _yaml(text: str, source: str) -> Any:
    try:
        return read_yaml(text)
    except YamlSyntaxError as error:
        where = f" in line {error.line}" if error.line else ""
        raise UsageError(
            f"{source} is neither JSON nor YAML: {error.problem}{where}",
            hint=f"correct line {error.line}" if error.line else _OWN_ADDRESS,
        ) from error


def _deeper_than(value: Any, limit: int) -> bool:
    """Level by level, each shared part once: aliases may repeat one part without end."""
    level, seen = [value], set[int]()
    for _ in range(limit):
        following: list[Any] = []
        for node in level:
            if isinstance(node, dict | list) and id(node) not in seen:
                seen.add(id(node))
                following.extend(node.values() if isinstance(node, dict) else node)
        if not following:
            return False
        level = following
    return True


def operation_lines(
    text: str, paths: frozenset[str], methods: frozenset[str]
) -> dict[tuple[str, str], int]:
    """The line (from 1) on which each method of each path begins, in one pass over the text.

    Reads indented JSON and block YAML alike; on a minified document it finds nothing.
    """
    found: dict[tuple[str, str], int] = {}
    path, path_indent, child_indent, line, counted = "", 0, None, 1, 0
    for match in _KEY_LINE.finditer(text):
        indent, key = len(match[1]), match[2].replace("\\/", "/")
        if key in paths:
            path, path_indent, child_indent = key, indent, None
        elif path and indent > path_indent:
            child_indent = indent if child_indent is None else child_indent
            if indent == child_indent and key in methods:
                line += text.count("\n", counted, match.start())
                counted = match.start()
                found.setdefault((path, key), line)
        else:
            path = ""
    return found
