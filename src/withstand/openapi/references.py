"""Following `$ref` inside one document. Pure.

A reference that leads nowhere spoils only what needs it: it stands for a schema of which no value
is known, and says why (`LOST`).
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from withstand.openapi.schema_merge import LOST

DATA = frozenset({"example", "examples", "default", "enum", "const", "value"})
"""Keys below which there is data: a `$ref` in it is no reference."""
NAMED = frozenset(
    {"properties", "patternProperties", "dependentSchemas", "$defs", "definitions", "schemas"}
    | {"responses", "parameters", "requestBodies", "headers", "links", "callbacks", "content"}
    | {"pathItems", "paths", "webhooks", "mapping", "securitySchemes", "securityDefinitions"}
)
"""Keys below which the keys are names that the author chose: `default`, `example`, `$ref` too."""
_CHAIN = 50


class References:
    """The references of one document. Where one leads is found out when it is first followed."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._targets: dict[str, Any] = {}
        self._anchors: dict[str, Any] | None = None

    def resolved(self, node: Any) -> Mapping[str, Any]:
        """The mapping that a node stands for; an empty one for what is no mapping.

        That of a lost reference has one key, `LOST`, with the reason in one sentence.
        """
        if isinstance(node, Mapping):
            reference = node.get("$ref")
            if isinstance(reference, str):
                node = self._follow(reference)
        return node if isinstance(node, Mapping) else {}

    def entries(self, node: Any) -> tuple[Mapping[str, Any], ...]:
        """The resolved mappings of a list; none for what is no list."""
        return tuple(self.resolved(part) for part in node) if isinstance(node, list) else ()

    def lost(self) -> tuple[str, ...]:
        """Why references anywhere in the document lead nowhere, each reason once."""
        reasons = (
            self.resolved({"$ref": each}).get(LOST) for each in references_in(self._document)
        )
        return tuple(dict.fromkeys(str(reason) for reason in reasons if reason is not None))

    def _follow(self, reference: str) -> Any:
        if reference in self._targets:
            return self._targets[reference]
        chain = [reference]
        node = self._at(reference)
        while isinstance(node, Mapping) and isinstance(following := node.get("$ref"), str):
            if following in chain or len(chain) > _CHAIN:
                node = {LOST: f"$ref {reference!r} leads only back to itself"}
                break
            chain.append(following)
            node = self._at(following)
        self._targets.update(dict.fromkeys(chain, node))
        return node

    def _at(self, reference: str) -> Any:
        """What a JSON pointer (RFC 6901) in a URI fragment names."""
        if not reference.startswith("#"):
            remote = "://" in reference or reference.startswith("//")
            return {
                LOST: f"$ref {reference!r} is another document, "
                + ("and nothing is fetched from elsewhere" if remote else "which was not found")
            }
        if reference == "#":
            return self._document
        if not reference.startswith("#/"):
            return self._at_anchor(reference)
        node: Any = self._document
        for part in unquote(reference[1:]).split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, Mapping) and isinstance(inner := node.get("$ref"), str):
                node = self._follow(inner) if key not in node else node
            if isinstance(node, Mapping) and key in node:
                node = node[key]
            elif isinstance(node, list) and key.isdecimal() and int(key[:9]) < len(node):
                node = node[int(key[:9])]
            else:
                return {LOST: f"$ref {reference!r} leads nowhere"}
        return node

    def _at_anchor(self, reference: str) -> Any:
        if self._anchors is None:
            self._anchors = dict(_anchors_in(self._document))
        return self._anchors.get(reference[1:], {LOST: f"$ref {reference!r} leads nowhere"})


def references_in(document: Mapping[str, Any]) -> Iterator[str]:
    """Every reference once."""
    found: set[str] = set()
    for node in _mappings_in(document):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference not in found:
            found.add(reference)
            yield reference


def _anchors_in(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for node in _mappings_in(document):
        for word in ("$anchor", "$dynamicAnchor"):
            if isinstance(name := node.get(word), str):
                yield name, node


def _mappings_in(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every mapping that may be a reference or a schema, without recursion, shared parts once."""
    pending: list[tuple[Any, bool]] = [(document, False)]
    seen: set[tuple[int, bool]] = set()
    while pending:
        node, is_names = pending.pop()
        if not isinstance(node, dict | list) or (id(node), is_names) in seen:
            continue
        seen.add((id(node), is_names))
        if isinstance(node, list):
            pending.extend((part, False) for part in node)
            continue
        if not is_names:
            yield node
        for key, part in node.items():
            if is_names:
                pending.append((part, False))
            elif key not in DATA and (not key.startswith("x-") or key == "x-files"):
                pending.append((part, key in NAMED or key == "x-files"))
