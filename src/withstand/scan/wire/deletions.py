"""Requests on one thing that the scan created: the one that deletes it. Pure."""

import re
from dataclasses import replace
from urllib.parse import quote

from withstand.client.exchange import Request
from withstand.openapi.operation import Api, Operation
from withstand.openapi.path_template import shape, values_in
from withstand.openapi.request_builder import RequestBuilder, Slot, Unbuildable
from withstand.openapi.spoken import picker_of


def on_thing(
    base_path: str, operation: Operation, producer: Operation, made: Request, identifier: object
) -> Request | None:
    """A request without a body on one thing, in the place where it was made and by who made it:
    its deletion. None where a part of the path is not known.
    """
    sent = values_in(producer.path, made.operation_path)
    places = {_place(producer.path, name): value for name, value in sent.items()}
    values: dict[str, object] = {}
    last = _last_parameter(operation.path)
    for name in re.findall(r"\{([^{}]+)\}", operation.path):
        value = identifier if name == last else places.get(_place(operation.path, name))
        if value is None:
            value = sent.get(name)
        if value is None:
            return None
        values[name] = value
    path = re.sub(
        r"\{([^{}]+)\}", lambda match: quote(str(values[match[1]]), safe=""), operation.path
    )
    query = made.path.partition("?")[2]  # it may hold the credential
    headers = tuple(
        (name, value) for name, value in made.headers if not name.lower().startswith("content-")
    )
    whole = base_path + path
    return Request(
        method=operation.method, path=f"{whole}?{query}" if query else whole, headers=headers
    )


def by_call(
    api: Api, base_path: str, deleter: Operation, made: Request, identifier: object
) -> Request | None:
    """The deletion of one thing by an id in the query or the body: `POST /rpc/deleteOrder`."""
    picker = picker_of(deleter, api.resolve)
    if picker is None:
        return None
    slot = Slot(location=picker.location, name=picker.name)
    builder = RequestBuilder(api, base_path=base_path, nonce=lambda: f"ws{0:024}")
    try:
        request = builder.build(deleter, full=False, replace={slot: identifier}).request
    except Unbuildable:
        return None
    own = {name.lower() for name, _ in request.headers}
    # The rest is the credential of whoever made it.
    kept = [(n, value) for n, value in made.headers if n.lower() not in own | {"content-type"}]
    return replace(request, headers=(*kept, *request.headers))


def _place(path: str, name: str) -> str:
    """The path up to a parameter: the same place has other names in other operations."""
    return shape(path.partition("{" + name + "}")[0] + "{}")


def _last_parameter(path: str) -> str:
    return str(re.findall(r"\{([^{}]+)\}", path)[-1])
