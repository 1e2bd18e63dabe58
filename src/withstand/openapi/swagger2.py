"""Swagger 2.0 in the nouns of OpenAPI 3. Pure.

A parameter there is its own schema, a body is a parameter, a form is several, and the media types
stand at the operation or at the document.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from withstand.openapi.openapi3 import LOCATIONS, Node, mapping
from withstand.openapi.operation import Location, Parameter, RequestBody, Schema
from withstand.openapi.references import References

_NO_SCHEMA = frozenset(
    {"name", "in", "required", "description", "collectionFormat", "allowEmptyValue"}
)
_STYLES = {"ssv": "spaceDelimited", "pipes": "pipeDelimited"}


def parameters(nodes: Iterable[Node]) -> tuple[Parameter, ...]:
    """The parameters among the nodes that are neither body nor form."""
    return tuple(
        Parameter(
            name=node["name"],
            location=cast(Location, node["in"]),
            required=node["in"] == "path" or node.get("required") is True,
            schema=_schema(node),
            example=node.get("x-example"),
            style=_STYLES.get(str(node.get("collectionFormat"))),
            explode=node.get("collectionFormat") == "multi",
        )
        for node in nodes
        if node.get("in") in LOCATIONS and isinstance(node.get("name"), str)
    )


def bodies(operation: Node, nodes: Iterable[Node], document: Node) -> tuple[RequestBody, ...]:
    """The body parameter, or the form parameters as one object, in each media type consumed."""
    nodes = tuple(nodes)
    declared = _names(operation.get("consumes", document.get("consumes")))
    for node in nodes:
        if node.get("in") == "body":
            schema, required = mapping(node.get("schema")), node.get("required") is True
            example = node.get("x-example")
            return tuple(
                RequestBody(media_type=name, schema=schema, required=required, example=example)
                for name in declared or ("application/json",)
            )
    form = {
        node["name"]: node
        for node in nodes
        if node.get("in") == "formData" and isinstance(node.get("name"), str)
    }
    if not form:
        return ()
    required_names = [name for name, node in form.items() if node.get("required") is True]
    properties = {name: _schema(node) for name, node in form.items()}
    has_file = any(node.get("type") == "file" for node in form.values())
    default = "multipart/form-data" if has_file else "application/x-www-form-urlencoded"
    fitting = tuple(name for name in declared if "form" in name)
    return tuple(
        RequestBody(
            media_type=name,
            schema={"type": "object", "properties": properties, "required": required_names},
            required=bool(required_names),
        )
        for name in fitting or (default,)
    )


def responses(
    operation: Node, references: References, document: Node
) -> Mapping[str, Mapping[str, Schema]]:
    """Status → media type → schema."""
    media_types = _names(operation.get("produces", document.get("produces")))
    found: dict[str, Mapping[str, Schema]] = {}
    for status, node in mapping(operation.get("responses")).items():
        schema = references.resolved(node).get("schema")
        if not status.startswith("x-"):
            names = media_types or ("application/json",) if isinstance(schema, Mapping) else ()
            found[status] = dict.fromkeys(names, mapping(schema))
    return found


def security_schemes(document: Node, references: References) -> Mapping[str, Node]:
    """Name → definition, `basic` as the HTTP scheme that it is."""
    found: dict[str, Node] = {}
    for name, node in mapping(document.get("securityDefinitions")).items():
        scheme = references.resolved(node)
        is_basic = scheme.get("type") == "basic"
        found[name] = {**scheme, "type": "http", "scheme": "basic"} if is_basic else scheme
    return found


def servers(document: Node) -> tuple[str, ...]:
    """`schemes`, `host` and `basePath` put together; only the path without a host."""
    host, path = document.get("host"), document.get("basePath")
    path = path if isinstance(path, str) else ""
    if not isinstance(host, str) or not host:
        return (path,) if path else ()
    return tuple(
        f"{scheme}://{host}{path}" for scheme in _names(document.get("schemes")) or ("https",)
    )


def _schema(node: Node) -> Schema:
    schema: dict[str, Any] = {key: part for key, part in node.items() if key not in _NO_SCHEMA}
    if schema.get("type") == "file":
        schema |= {"type": "string", "format": "binary"}
    return schema


def _names(node: Any) -> Sequence[str]:
    return tuple(name for name in node if isinstance(name, str)) if isinstance(node, list) else ()
