"""An API in the style of somebody else: wrapped answers, numbers for ids, errors as text, forms."""

import itertools
import json
from typing import Any
from urllib.parse import parse_qs

from withstand.client.exchange import Request, Response

from .small_api import answer

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}


def _operation(*path_names: str, form: bool = False, **properties: Any) -> dict[str, Any]:
    described: dict[str, Any] = {
        "security": [{"bearer": []}],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": _TEXT} for name in path_names
        ],
        "responses": {"200": {"description": "fine"}},
    }
    if properties:
        media_type = "application/x-www-form-urlencoded" if form else "application/json"
        schema = {"type": "object", "properties": properties}
        described["requestBody"] = {"required": True, "content": {media_type: {"schema": schema}}}
    return described


PATHS: dict[str, Any] = {
    "/payments": {
        "post": _operation(form=True, customer=_WHOLE, invoice_number=_TEXT, method=_TEXT)
    },
    "/invoices/{invoiceNumber}": {
        "get": _operation("invoiceNumber"),
        "delete": _operation("invoiceNumber"),
    },
    "/customers/{customerId}/invoices": {
        "get": _operation("customerId"),
        "post": _operation("customerId", dueDate=_TEXT, amount=_WHOLE),
    },
    "/customers": {
        "get": _operation(),
        "post": _operation(fullName=_TEXT, emailAddress=_TEXT, plan=_TEXT),
    },
    "/customers/{customerId}": {
        "get": _operation("customerId"),
        "delete": _operation("customerId"),
    },
    "/whoami": {"get": _operation()},
}


class OddApi:
    """The server; what it holds is empty again when everything was cleaned up."""

    def __init__(self) -> None:
        self.customers: dict[str, str] = {}
        self.invoices: dict[str, str] = {}
        self._ids = itertools.count(100)

    def __call__(self, request: Request) -> Response:
        path = request.operation_path
        user = request.header("authorization")
        if path == "/":
            return _page(404, "Nothing here")
        if user is None or not user.endswith("-token"):
            return Response(status=302, headers=(("Location", "/login"),))
        if path == "/whoami":
            return answer(200, {"ok": True, "user": {"login": user}})
        parts = path.strip("/").split("/")
        match parts:
            case ["payments"]:
                return self._pay({k: v[0] for k, v in parse_qs(request.body.decode()).items()})
            case ["customers"]:
                return self._customers(request, user)
            case ["customers", number, *rest] if self.customers.get(number) == user:
                return self._customer(request, number, within=bool(rest))
            case ["invoices", number] if number in self.invoices:
                if request.method == "DELETE":
                    del self.invoices[number]
                    return Response(status=204)
                return answer(200, {"number": number})
        return Response(status=404, body=b"nope")

    def _customers(self, request: Request, user: str) -> Response:
        if request.method == "GET":
            own = [{"customerId": int(key)} for key, who in self.customers.items() if who == user]
            return answer(200, {"ok": True, "data": {"total": len(own), "rows": own}})
        body = json.loads(request.body)
        if "@" not in body.get("emailAddress", ""):
            return Response(status=400, body=b"Bad Request: emailAddress is not a valid email")
        if body.get("plan") not in {"free", "pro"}:
            return answer(200, {"success": False, "message": "plan should be either free or pro"})
        number = next(self._ids)
        self.customers[str(number)] = user
        return answer(200, {"ok": True, "result": {"customer": {"customerId": number}}})

    def _customer(self, request: Request, number: str, *, within: bool) -> Response:
        if request.method == "DELETE":
            del self.customers[number]
        if request.method != "POST":
            own = [
                {"invoiceNumber": key} for key, whose in self.invoices.items() if whose == number
            ]
            return answer(200, {"ok": True, "data": own if within else {"customerId": number}})
        body = json.loads(request.body)
        fields = {}
        if not "2031" < body.get("dueDate", "") < "2999":
            fields["dueDate"] = "must be a date in the future"
        elif body["amount"] < 500:
            fields["amount"] = "must be at least 500"
        if fields:
            return answer(400, {"error": {"fields": fields}})
        invoice = f"INV-{next(self._ids)}"
        self.invoices[invoice] = number
        return Response(status=201, headers=(("Location", f"http://x/invoices/{invoice}"),))

    def _pay(self, form: dict[str, str]) -> Response:
        if form.get("customer") not in self.customers:
            return _page(400, "The customer does not exist")
        if form.get("invoice_number") not in self.invoices:
            return _page(400, "Unknown invoice number")
        if form.get("method") not in {"card", "cash"}:
            return _page(400, "method must be card or cash")
        return answer(200, {"paid": True})


def _page(status: int, text: str) -> Response:
    return Response(
        status=status,
        headers=(("Content-Type", "text/html"),),
        body=f"<html><body><p>{text}</p></body></html>".encode(),
    )
