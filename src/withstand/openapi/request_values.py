"""Deciding what a request says, before anything is written: a value for each input. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from withstand.openapi.body_encoding import Upload, best_body, multipart_body
from withstand.openapi.body_pointer import parts_of, with_value
from withstand.openapi.example_value import ExampleValues
from withstand.openapi.naming import (
    ID_WORDS,
    KEY_WORDS,
    canonical,
    is_reference,
    thing_named,
    words,
)
from withstand.openapi.operation import Api, Operation, Parameter, RequestBody, Schema
from withstand.openapi.path_template import segments
from withstand.openapi.plausible_number import NoValueError
from withstand.openapi.plausible_text import Marks
from withstand.openapi.schema_fit import fits
from withstand.openapi.schema_merge import flattened, kept, types_of
from withstand.openapi.slot import Slot
from withstand.openapi.spoken import Deed, deed_of, picker_of, thing_of
from withstand.openapi.value_pool import ValuePool, as_type

NOTHING: Mapping[Slot, object] = MappingProxyType({})
_GIVEN = {"example", "examples", "default", "enum", "const"}
_SIGN_IN = frozenset({"login", "signin", "token", "session", "sessions", "authenticate"})
_WRITTEN = "Withstand writes JSON, forms, plain text and octet streams"


class Unbuildable(Exception):  # noqa: N818 - an outcome that callers handle, not a fault
    """No request can be built; `reason` is one sentence for the report."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Draft:
    """A value for each parameter that is sent, and for the body."""

    parameters: list[tuple[Parameter, object]] = field(default_factory=list)
    body: RequestBody | None = None
    content: object = None


class Drafting:
    """Chooses the values of one request to one operation."""

    def __init__(
        self,
        api: Api,
        operation: Operation,
        pool: ValuePool | None,
        marks: Marks,
        *,
        full: bool,
        chosen: Mapping[Slot, object] = NOTHING,
    ) -> None:
        self._api = api
        self._operation = operation
        self._pool = pool
        self._marks = marks
        self._full = full
        self._in_path: dict[str, object] = {}
        self._chosen = {canonical(s.name): v for s, v in chosen.items() if s.location == "path"}
        self._around: dict[str, object] = {}  # what the ids of the path were seen in
        self._named: list[object] = []  # things of the caller's that an input of the body names
        self._picker = picker_of(operation, api.resolve)

    def draft(self) -> Draft:
        """The request as the document wants it. Raises `Unbuildable`."""
        if self._operation.lost:
            raise Unbuildable(self._operation.lost)
        draft = Draft()
        sent = sendable(self._api, self._operation)
        # The innermost id of the path comes first: what it is in is told by where it was seen.
        innermost = [each for each in reversed(self._operation.path_parameters) if each in sent]
        for parameter in (*innermost, *(p for p in sent if p.location != "path")):
            if self._is_sent(parameter):
                value = self._parameter_value(parameter)
                draft.parameters.append((parameter, value))
                if parameter.location == "path":
                    self._in_path[canonical(parameter.name)] = value
                    self._look_around(parameter.name, value)
        self._add_body(draft)
        return draft

    def _look_around(self, name: str, value: object) -> None:
        if self._pool is not None:
            value = self._chosen.get(canonical(name), value)
            path, known = self._operation.path, {**self._around, **self._chosen}
            self._around = {**self._pool.around(name, value, path, known), **self._around}

    def _is_sent(self, parameter: Parameter) -> bool:
        """Required ones, and optional ones of the query for which a value is given or harvested."""
        if parameter.required:
            return True
        if not self._full or parameter.location != "query":
            return False
        flat = flattened(parameter.schema, self._api.resolve)
        given = flat.keys() & {"example", "examples", "default"} or parameter.example is not None
        return bool(given) or self._harvested(parameter.name, flat, own=True) is not None

    def _parameter_value(self, parameter: Parameter) -> object:
        def known(name: str, schema: Schema, depth: int) -> object | None:
            if parameter.location == "path" and not depth:
                flat = flattened(schema, self._api.resolve)
                given = parameter.example is not None or flat.keys() & _GIVEN
                if canonical(name) in self._around:
                    around = as_type(self._around[canonical(name)], types_of(flat))
                    if around is not None and fits(around, schema, self._api.resolve):
                        return around
                return self._found(name, schema, own=True, any_id=not given)
            found = self._harvested(name, schema, own=True)
            if found is None and not depth and self._is_told_elsewhere(parameter):
                return self._found(name, schema, own=True)
            return found

        values = ExampleValues(
            self._api.resolve, self._marks, full=False, recognisable=False, known=known
        )
        schema = parameter.schema
        if parameter.location == "path":  # an empty segment would be another path
            both = {"allOf": [schema, {"minLength": 1}]}
            schema = kept("segment", schema, self._api.resolve, lambda: both)
        hints = () if parameter.example is None else (parameter.example,)
        try:
            return values.value(schema, name=parameter.name, hints=hints)
        except NoValueError as error:
            raise Unbuildable(
                f"the {parameter.location} parameter {parameter.name!r} gets no value: {error}"
            ) from error

    def _is_told_elsewhere(self, parameter: Parameter) -> bool:
        """Whether a read needs a text of which the document says nothing: the `file` that
        `GET /statements/download` wants stands in the answers under the same name.
        """
        flat = flattened(parameter.schema, self._api.resolve)
        given = parameter.example is not None or flat.keys() & _GIVEN
        is_text = "string" in types_of(flat) and "format" not in flat
        return self._operation.is_read and parameter.required and is_text and not given

    def _add_body(self, draft: Draft) -> None:
        bodies = self._operation.bodies
        is_bodiless = self._operation.method in {"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"}
        if not bodies or (is_bodiless and not any(body.required for body in bodies)):
            return
        draft.body = best_body(bodies)
        if draft.body is None:
            if any(body.required for body in bodies):
                names = ", ".join(body.media_type for body in bodies)
                raise Unbuildable(f"a body of media type {names} is required; {_WRITTEN}")
            return
        signs_in = bool(_SIGN_IN & {*words("".join(segments(self._operation.path)[-1:]))})
        values = ExampleValues(
            self._api.resolve,
            self._marks,
            full=self._full,
            recognisable=not signs_in,
            known=self._known_in_body,
        )
        example = draft.body.example
        try:
            draft.content = values.value(
                draft.body.schema, hints=() if example is None else (example,)
            )
        except NoValueError as error:
            raise Unbuildable(f"the body gets no value that its schema allows: {error}") from error

    def _known_in_body(self, name: str, schema: Schema, depth: int) -> object | None:
        """What the path names is repeated as it is there; other references come from the pool."""
        bare = len(words(name)) == 1 and words(name)[0] in ID_WORDS
        if (not bare or depth == 1) and canonical(name) in self._in_path:
            named = as_type(self._in_path[canonical(name)], types_of(schema))
            return named if fits(named, schema, self._api.resolve) else None
        picks = self._picks(name) and self._picker is not None and depth == 1 + self._picker.depth
        return None if bare and not picks else self._harvested(name, schema, own=False)

    def _harvested(self, name: str, schema: Schema, *, own: bool) -> object | None:
        if self._picks(name):
            return self._picked(name, schema)
        if is_reference(name):
            return self._found(name, schema, own=own)
        if words(name)[-1] in KEY_WORDS and len(words(name)) > 1:  # `invoice_number`
            return self._found(name, schema, own=own, exact=True)
        # `customer: 7` and `customer: <uuid>` name a customer, though the name does not say "id".
        names_by_type = schema.get("format") == "uuid" or "integer" in types_of(schema)
        if names_by_type and not schema.keys() & _GIVEN:
            return self._found(f"{name}_id", schema, own=own, exact=True)
        return self._one_made(name, schema)

    def _one_made(self, name: str, schema: Schema) -> object | None:
        """One of the things that were made, another for each input: `fromAccount`, `toAccount`."""
        thing = thing_named(name)
        if thing is None or self._pool is None or schema.keys() & _GIVEN:
            return None
        made = (as_type(each, types_of(schema)) for each in self._pool.made_of(thing))
        fitting = [e for e in made if e is not None and fits(e, schema, self._api.resolve)]
        found = next((each for each in fitting if each not in self._named), None)
        if found is not None:
            self._named.append(found)
        return found

    def _picks(self, name: str) -> bool:
        return self._picker is not None and name == self._picker.name.rpartition(".")[2]

    def _picked(self, name: str, schema: Schema) -> object | None:
        """The id of one of what the operation is about. Not of a list, which it would cut down."""
        if deed_of(self._operation, self._api.resolve) is Deed.LIST:
            return None
        return self._found(name, schema, own=True, about=thing_of(self._operation))

    def _found(
        self,
        name: str,
        schema: Schema,
        *,
        own: bool,
        any_id: bool = False,
        exact: bool = False,
        about: str = "",
    ) -> object | None:
        if self._pool is None or (exact and not self._pool.knows(name)):
            return None
        found = self._pool.find(
            name,
            path=self._operation.path,
            schema=schema,
            own=own,
            any_id=any_id,
            about=about,
            chosen={**self._around, **self._chosen},
        )
        return found if found is not None and fits(found, schema, self._api.resolve) else None


def sendable(api: Api, operation: Operation) -> tuple[Parameter, ...]:
    """The parameters without those that carry a credential or that HTTP itself decides."""
    secret = {
        (scheme.get("in"), str(scheme.get("name")).lower())
        for scheme in api.security_schemes.values()
        if scheme.get("type") == "apiKey"
    } | {("header", name) for name in ("authorization", "accept", "content-type")}
    return tuple(p for p in operation.parameters if (p.location, p.name.lower()) not in secret)


def replaced(draft: Draft, operation: Operation, values: Mapping[Slot, object]) -> Draft:
    """The draft with other values in its slots. Raises `Unbuildable` where there is no place."""
    for slot, value in values.items():
        if slot.location == "body":
            _replace_in_body(draft, operation, slot.name, value)
        else:
            _replace_parameter(draft, operation, slot, value)
    return draft


def _replace_in_body(draft: Draft, operation: Operation, pointer: str, value: object) -> None:
    if draft.body is None:
        draft.body = best_body(operation.bodies)
    if isinstance(value, Upload):  # only a form in parts carries a file beside other fields
        draft.body = multipart_body(operation.bodies) or draft.body
    if draft.body is None:
        raise Unbuildable(f"{operation.key} takes no body that could hold {pointer!r}")
    draft.content = with_value(draft.content, parts_of(pointer), value)


def _replace_parameter(draft: Draft, operation: Operation, slot: Slot, value: object) -> None:
    parameter, parts = declared(operation, slot)
    if isinstance(value, Mapping) and not parts and slot.location == "query":
        parameter = replace(parameter, style="deepObject")  # `{"$gt": ""}` → `q[$gt]=`
    for at, (given, content) in enumerate(draft.parameters):
        if (given.location, given.name) == (parameter.location, parameter.name):
            draft.parameters[at] = (parameter, with_value(content, parts, value))
            return
    if slot.location == "path":
        raise Unbuildable(f"{operation.key} has no path parameter {slot.name!r}")
    draft.parameters.append((parameter, with_value(None, parts, value)))


def declared(operation: Operation, slot: Slot) -> tuple[Parameter, tuple[str, ...]]:
    """The parameter of a slot and the place in it; one of just that name where none is declared."""
    assert slot.location != "body", "a body is no parameter"
    known = {p.name: p for p in operation.parameters if p.location == slot.location}
    parts = tuple(slot.name.split("."))
    for end in range(len(parts), 0, -1):
        name = ".".join(parts[:end])
        if name in known:
            return known[name], parts[end:]
    undeclared = Parameter(
        name=slot.name, location=slot.location, required=False, schema=slot.schema
    )
    return undeclared, ()
