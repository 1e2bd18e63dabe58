"""What OpenAPI 3.0 and 3.1 call parameters, bodies, responses, schemes and servers. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from withstand.openapi.operation import Location, Parameter, RequestBody, Schema
from withstand.openapi.references import References

LOCATIONS = ("path", "query", "header", "cookie")
Node = Mapping[str, Any]


def parameters(nodes: Iterable[Node], references: References) -> tuple[Parameter, ...]:
    """The parameters among the nodes; what is none is left out."""
    found = (_parameter(node, references) for node in nodes)
    return tuple(parameter for parameter in found if parameter is not None)


def bodies(operation: Node, _: Iterable[Node], references: References) -> tuple[RequestBody, ...]:
    """One body for each media type, in the document's order."""
    body = references.resolved(operation.get("requestBody"))
    return tuple(
        RequestBody(
            media_type=media_type,
            schema=schema_in(media),
            required=body.get("required") is True,
            example=example_in(references.resolved(media), references),
        )
        for media_type, media in mapping(body.get("content")).items()
    )


def responses(operation: Node, references: References) -> Mapping[str, Mapping[str, Schema]]:
    """Status → media type → schema."""
    return {
        status: {
            media_type: schema_in(media)
            for media_type, media in mapping(references.resolved(node).get("content")).items()
        }
        for status, node in mapping(operation.get("responses")).items()
        if not status.startswith("x-")
    }


def security_schemes(document: Node, references: References) -> Mapping[str, Node]:
    """Name → definition."""
    schemes = mapping(mapping(document.get("components")).get("securitySchemes"))
    return {name: references.resolved(node) for name, node in schemes.items()}


def servers(document: Node) -> tuple[str, ...]:
    """The servers' URLs with each variable at its default."""
    nodes = document.get("servers")
    return tuple(
        _filled(url, mapping(node.get("variables")))
        for node in (nodes if isinstance(nodes, list) else ())
        if isinstance(node, Mapping) and isinstance(url := node.get("url"), str)
    )


def mapping(node: Any) -> Node:
    """The node when it is a mapping, else an empty one."""
    return node if isinstance(node, Mapping) else {}


def schema_in(node: Any) -> Schema:
    """The schema of a parameter, header or media type; an empty one allows anything."""
    return mapping(mapping(node).get("schema"))


def example_in(node: Node, references: References) -> Any:
    """The example of a parameter or media type: `example`, else the first of `examples`."""
    if "example" in node:
        return node["example"]
    for example in mapping(node.get("examples")).values():
        resolved = references.resolved(example)
        if "value" in resolved:
            return resolved["value"]
    return None


def _parameter(node: Node, references: References) -> Parameter | None:
    name, location = node.get("name"), node.get("in")
    if not isinstance(name, str) or location not in LOCATIONS:
        return None
    style, explode = node.get("style"), node.get("explode")
    media = next(iter(mapping(node.get("content")).values()), None)
    holder = node if media is None else mapping(media)
    example = example_in(node, references)
    return Parameter(
        name=name,
        location=cast(Location, location),
        required=location == "path" or node.get("required") is True,
        schema=schema_in(holder),
        example=example_in(holder, references) if example is None else example,
        style=(style if isinstance(style, str) else None) if media is None else "json",
        explode=explode if isinstance(explode, bool) else None,
    )


def _filled(url: str, variables: Node) -> str:
    def default(match: re.Match[str]) -> str:
        return str(mapping(variables.get(match[1])).get("default", match[0]))

    return re.sub(r"\{([^{}]*)\}", default, url)
