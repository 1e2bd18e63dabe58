"""In which order operations are tried: what makes a thing before what needs one. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from withstand.openapi.naming import KEY_WORDS, noun, thing_named, words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import (
    ends_in_parameter,
    parameter_in,
    parameters_in,
    resource_before,
    segments,
    shape,
)
from withstand.openapi.schema_merge import Resolve, flattened, types_of
from withstand.openapi.spoken import Deed, deed_of, picker_of, spoken_deed, thing_of

_PHASES: Final = {Deed.CREATE: 0, Deed.LIST: 1, Deed.READ: 2, Deed.CHANGE: 3, Deed.REMOVE: 4}


def in_dependency_order(
    operations: Iterable[Operation], *, resolve: Resolve = lambda schema: schema
) -> tuple[Operation, ...]:
    """Producers before consumers, DELETE last; otherwise in the document's order.

    Collections' POST, their GET, items' GET, then what changes items; DELETE of what is inside
    another thing before DELETE of that thing. A body that refers to a thing (`product_id`) comes
    after what makes or lists it; `resolve` (the `Api`'s) finds that behind references too.
    """
    listed = tuple(operations)
    items = frozenset(shape(op.path) for op in listed if ends_in_parameter(op.path))
    ranked = sorted(listed, key=lambda op: _phase(op, items, resolve))
    makers: dict[str, dict[str, Operation]] = {}  # what is made or listed → by method
    for op in ranked:
        if op.method in {"POST", "GET"} and not ends_in_parameter(op.path):
            says = spoken_deed(op)
            called = says in {Deed.CREATE, Deed.LIST} and thing_of(op)
            does = f"{op.method} {says}" if called else op.method
            makers.setdefault(called or _last_noun(op.path), {}).setdefault(does, op)
    done: dict[int, Operation] = {}
    begun: set[int] = set()
    for op in ranked:
        _visit(op, makers, begun, done, resolve)
    return tuple(done.values())


def _visit(
    start: Operation,
    makers: Mapping[str, Mapping[str, Operation]],
    begun: set[int],
    done: dict[int, Operation],
    resolve: Resolve,
) -> None:
    """Depth first, so that whatever makes what `start` needs stands before it."""
    stack = [start]
    while stack:
        op = stack[-1]
        if id(op) not in begun:
            begun.add(id(op))
            if op.method != "DELETE":
                needed = (
                    maker
                    for name in _needs(op, resolve)
                    for _, maker in sorted(makers.get(name, {}).items())
                )
                stack.extend(each for each in needed if id(each) not in begun)
        else:
            done.setdefault(id(op), op)
            stack.pop()


def _needs(operation: Operation, resolve: Resolve) -> Iterator[str]:
    for name in parameters_in(operation.path):
        yield resource_before(operation.path, name)
    for body in operation.bodies:
        properties = flattened(body.schema, resolve).get("properties")
        for name, part in properties.items() if isinstance(properties, Mapping) else ():
            *prefix, last = words(name)
            if prefix and last in KEY_WORDS:
                yield noun("_".join(prefix))
            elif (thing := thing_named(name)) is not None:
                yield thing
            elif isinstance(part, Mapping) and (
                "integer" in types_of(part) or part.get("format") == "uuid"
            ):
                yield noun(name)  # `customer: 7` names a customer as well


def _phase(operation: Operation, items: frozenset[str], resolve: Resolve) -> tuple[int, int]:
    depth = len(parameters_in(operation.path))
    if operation.removes:
        return 4, -depth
    if picker_of(operation, resolve) is not None and spoken_deed(operation) is not None:
        return _PHASES[deed_of(operation, resolve)], depth
    match operation.method:
        case "POST" if not depth or shape(f"{operation.path}/{{}}") in items:
            return 0, depth
        case _ if operation.is_read:
            return 2 if ends_in_parameter(operation.path) else 1, depth
    return 3, depth


def _last_noun(path: str) -> str:
    parts = [part for part in segments(path) if not parameter_in(part)]
    return noun(parts[-1]) if parts else ""
