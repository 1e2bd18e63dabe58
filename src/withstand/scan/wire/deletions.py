"""Requests on one thing that the scan created: the one that deletes it. Pure."""

from dataclasses import replace
from urllib.parse import quote

from withstand.client.exchange import Request
from withstand.openapi.operation import Api, Operation
from withstand.openapi.path_template import parameters_in, values_in
from withstand.openapi.places import shape_to
from withstand.openapi.request_builder import RequestBuilder, Slot, Unbuildable
from withstand.openapi.spoken import picker_of


def on_thing(
    api: Api,
    base_path: str,
    operation: Operation,
    producer: Operation,
    made: Request,
    identifier: object,
) -> Request | None:
    """A request on one thing, in the place where it was made and by who made it: its deletion.

    None where a part of the path is not known, and where no input picks one.
    """
    if not operation.path_parameters:
        return _by_call(api, base_path, operation, made, identifier)
    sent = values_in(producer.path, made.operation_path)
    places = {shape_to(producer.path, name): value for name, value in sent.items()}
    *around, last = parameters_in(operation.path)
    path = operation.path.replace(f"{{{last}}}", quote(str(identifier), safe=""))
    for name in around:
        value = places.get(shape_to(operation.path, name), sent.get(name))
        if value is None:
            return None
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    query = made.path.partition("?")[2]  # it may hold the credential
    headers = tuple(
        (name, value) for name, value in made.headers if not name.lower().startswith("content-")
    )
    whole = base_path + path
    return Request(
        method=operation.method, path=f"{whole}?{query}" if query else whole, headers=headers
    )


def _by_call(
    api: Api, base_path: str, operation: Operation, made: Request, identifier: object
) -> Request | None:
    """The same by an id in the query or the body: `POST /rpc/deleteOrder`."""
    picker = picker_of(operation, api.resolve)
    if picker is None:
        return None
    slot = Slot(location=picker.location, name=picker.name)
    builder = RequestBuilder(api, base_path=base_path, nonce=lambda: f"ws{0:024}")
    try:
        request = builder.build(operation, full=False, replace={slot: identifier}).request
    except Unbuildable:
        return None
    own = {name.lower() for name, _ in request.headers}
    # The rest is the credential of whoever made it.
    kept = [(n, value) for n, value in made.headers if n.lower() not in own | {"content-type"}]
    return replace(request, headers=(*kept, *request.headers))
