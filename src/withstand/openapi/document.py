"""Reading an OpenAPI document: bytes → `Api`. Pure; who calls fetched the bytes."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from withstand.errors import UsageError
from withstand.openapi import openapi3, swagger2
from withstand.openapi.bundle import Beside, bundled
from withstand.openapi.deeds import spread
from withstand.openapi.document_text import operation_lines, read_mapping
from withstand.openapi.openapi3 import Node, mapping
from withstand.openapi.operation import Api, Operation, Parameter, Schema
from withstand.openapi.references import References
from withstand.openapi.schema_merge import LOST, Resolver, merged

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_ELSEWHERE = re.compile(r"""\$ref["']?\s*:\s*["']?[^#"'\s{]""")
"""A reference that may lead out of the document: most have none."""
_NO_CONSTRAINT = frozenset({"$ref", "description", "summary", "title"})


def read_document(data: bytes, *, source: str, beside: Beside = lambda _name: None) -> Api:
    """The API that an OpenAPI 3.0, 3.1 or Swagger 2.0 document describes, in JSON or YAML.

    `source` is the file name or address that messages name, `beside` reads the files that the
    document refers to. Raises `UsageError` for anything that is no such document.
    """
    written, text = read_mapping(data, source=source)
    is_swagger2 = _is_swagger2(written, source)
    document = bundled(written, beside) if _ELSEWHERE.search(text) else written
    references = References(document)
    lines = operation_lines(text, frozenset(mapping(document.get("paths"))), METHODS)
    operations = tuple(_operations(document, references, lines, is_swagger2=is_swagger2))
    if not operations:
        raise UsageError(
            f"{source} describes no operation: its `paths` hold none",
            hint="generate the document anew from the API, with its routes registered",
        )
    info, resolve = mapping(document.get("info")), _resolver(references)
    dialect = swagger2 if is_swagger2 else openapi3
    return Api(
        title=str(info.get("title", "")),
        version=str(info.get("version", "")),
        source=source,
        operations=tuple(spread(operations, resolve)),
        security_schemes=dialect.security_schemes(document, references),
        servers=dialect.servers(document),
        problems=references.lost(),
        resolve=resolve,
    )


def _is_swagger2(document: Node, source: str) -> bool:
    """Whether it is Swagger 2.0, else OpenAPI 3. Raises `UsageError` for every other version."""
    version = document.get("openapi", document.get("swagger"))
    if version is None or isinstance(version, dict | list):
        some = ", ".join(repr(key) for key in list(document)[:3])
        raise UsageError(
            f"{source} is no OpenAPI document: it has no `openapi` or `swagger` key"
            + (f" but {some[:80]}" if some else ""),
            hint="give the address of the document itself, such as /openapi.json",
        )
    if "openapi" in document and re.match(r"3\.[012](\.|$)", str(version)):
        return False
    if "openapi" not in document and re.match(r"2(\.0)?$", str(version)):
        return True
    raise UsageError(
        f"{source} declares version {str(version)[:40]!r}; Swagger 2.0 and OpenAPI 3.0 to 3.2 are"
        " read",
        hint="convert it first, for example with `redocly` or the Swagger editor",
    )


def _operations(
    document: Node,
    references: References,
    lines: Mapping[tuple[str, str], int],
    *,
    is_swagger2: bool,
) -> Iterator[Operation]:
    everywhere = document.get("security")
    for path, entry in mapping(document.get("paths")).items():
        if path.startswith("x-"):
            continue
        item = references.resolved(entry)
        shared = references.entries(item.get("parameters"))
        for method, node in item.items():
            if method not in METHODS or not isinstance(node, Mapping):
                continue
            nodes = _overridden(shared, references.entries(node.get("parameters")))
            if is_swagger2:
                parameters = swagger2.parameters(nodes)
                bodies = swagger2.bodies(node, nodes, document)
                responses = swagger2.responses(node, references, document)
            else:
                parameters = openapi3.parameters(nodes, references)
                bodies = openapi3.bodies(node, nodes, references)
                responses = openapi3.responses(node, references)
            operation_id = node.get("operationId")
            yield Operation(
                method=method.upper(),
                path=path,
                operation_id=operation_id if isinstance(operation_id, str) else None,
                summary=str(node.get("summary") or ""),
                tags=tuple(str(tag) for tag in _list(node.get("tags"))),
                parameters=_with_undeclared(path, parameters),
                bodies=bodies,
                responses=responses,
                security=_security(node.get("security", everywhere)),
                scopes=_scopes(node.get("security", everywhere)),
                deprecated=node.get("deprecated") is True,
                line=lines.get((path, method)),
                lost=_lost(nodes, references.resolved(node.get("requestBody"))),
            )


def _overridden(shared: tuple[Node, ...], own: tuple[Node, ...]) -> tuple[Node, ...]:
    """The path's parameters and the operation's, which win over those of the same name."""
    found = {
        (str(node.get("in")), str(node.get("name", node.get(LOST)))): node
        for node in (*shared, *own)
    }
    return tuple(found.values())


def _lost(parameters: tuple[Node, ...], body: Node) -> str:
    return "; ".join(str(node[LOST]) for node in (*parameters, body) if LOST in node)


def _with_undeclared(path: str, parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """Also the parameters that only the path's template names, and only those in the template."""
    in_template = dict.fromkeys(re.findall(r"\{([^{}]+)\}", path))
    declared = {p.name for p in parameters if p.location == "path"}
    return (
        *(p for p in parameters if p.location != "path" or p.name in in_template),
        *(
            Parameter(name=name, location="path", required=True, schema={"type": "string"})
            for name in in_template
            if name not in declared
        ),
    )


def _security(node: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(part) for part in _list(node) if isinstance(part, Mapping))


def _scopes(node: Any) -> tuple[str, ...]:
    """The scopes that no alternative goes without."""
    alternatives = [
        {str(scope) for scopes in part.values() for scope in _list(scopes)}
        for part in _list(node)
        if isinstance(part, Mapping)
    ]
    return tuple(sorted(set.intersection(*alternatives))) if alternatives else ()


def _list(node: Any) -> list[Any]:
    return node if isinstance(node, list) else []


def _resolver(references: References) -> Callable[[Schema], Schema]:
    def resolve(schema: Schema) -> Schema:
        target = references.resolved(schema)
        if "$ref" not in schema:
            return target
        beside = {key: part for key, part in schema.items() if key not in _NO_CONSTRAINT}
        return merged(target, beside) if beside else target

    return Resolver(resolve)
