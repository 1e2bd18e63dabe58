"""A document in several files → one: what other files hold becomes a part of it. Pure.

References to files beside the document are read through a function of the caller's; those to other
hosts never are.
"""

import posixpath
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from withstand.errors import UsageError
from withstand.openapi.document_text import read_mapping
from withstand.openapi.references import DATA, NAMED, references_in

Beside = Callable[[str], bytes | None]
"""The bytes of a file named relative to the document; None when there is none."""
_FILES = "x-files"
_MOST_FILES = 2000


def bundled(document: Mapping[str, Any], beside: Beside) -> Mapping[str, Any]:
    """The document with every file that it refers to under `x-files`, and references into it.

    What cannot be read stays a reference to it. Raises `UsageError` for a file that is no JSON or
    YAML.
    """
    files: dict[str, Any] = {}
    whole = _pointing_inside(document, "", beside, files)
    return {**whole, _FILES: files} if files else document


def _pointing_inside(
    document: Mapping[str, Any], name: str, beside: Beside, files: dict[str, Any]
) -> Mapping[str, Any]:
    targets: dict[str, str] = {}
    for reference in references_in(document):
        file, _, pointer = reference.partition("#")
        if not file:
            if name:
                targets[reference] = _inside(name, pointer)
            continue
        if "://" in file or file.startswith("/"):
            continue
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(file)))
        if wanted == posixpath.normpath(name or "."):
            targets[reference] = _inside(name, pointer)
        elif wanted in files or _load(wanted, beside, files):
            targets[reference] = _inside(wanted, pointer)
    return _replaced(document, targets, is_names=False) if targets else document


def _load(name: str, beside: Beside, files: dict[str, Any]) -> bool:
    data = beside(name) if len(files) < _MOST_FILES else None
    if data is None:
        return False
    try:
        content, _ = read_mapping(data, source=name)
    except UsageError as error:
        raise UsageError(
            f"{error.message}, and the document refers to it", hint=error.hint
        ) from error
    files[name] = content  # before what it refers to: files may refer to one another
    files[name] = _pointing_inside(content, name, beside, files)
    return True


def _inside(name: str, pointer: str) -> str:
    escaped = name.replace("~", "~0").replace("/", "~1").replace("%", "%25")
    return f"#/{_FILES}/{escaped}{pointer}" if name else f"#{pointer}"


def _replaced(node: Any, targets: Mapping[str, str], *, is_names: bool) -> Any:
    if isinstance(node, list):
        return [_replaced(part, targets, is_names=False) for part in node]
    if not isinstance(node, Mapping):
        return node
    changed: dict[str, Any] = {}
    for key, part in node.items():
        if key == "$ref" and not is_names and isinstance(part, str):
            changed[key] = targets.get(part, part)
        elif not is_names and (key in DATA or key.startswith("x-")):
            changed[key] = part
        elif key == "mapping" and not is_names and isinstance(part, Mapping):
            changed[key] = {
                label: targets.get(target, target) if isinstance(target, str) else target
                for label, target in part.items()
            }
        else:
            changed[key] = _replaced(part, targets, is_names=not is_names and key in NAMED)
    return changed
