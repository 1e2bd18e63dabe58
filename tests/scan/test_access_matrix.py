"""The access matrix: who is served, what a team approved, and what differs."""

from typing import Any

from withstand.client.exchange import Request, Response
from withstand.scan.access_matrix import (
    Access,
    AccessCell,
    AccessRow,
    approval,
    closed,
    merge_rows,
    notes_on,
    opened,
)
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import (
    FORBIDDEN,
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    last_segment,
    not_found,
    operation,
    sent,
)
from withstand.scan.finding import Severity
from withstand.scan.policy import Profile
from withstand.scan.records.record import ScanRecord

from .checks.tiny_api import scanned

CHECK = check_named("wider-access-than-approved")
REPORT = "GET /reports"
PATHS: dict[str, Any] = {
    "/reports": {"get": operation()},
    "/orders": {"post": operation(requestBody=body(note={"type": "string"}))},
    "/orders/{id}": {
        "get": operation(parameters=(("path", "id"),)),
        "delete": operation(parameters=(("path", "id"),)),
    },
    "/status": {"get": operation(secured=False)},
}


def shop(*, report_for: tuple[str, ...] = ("root",), report_in_public: bool = False) -> Server:
    """Reports for some; orders that only their owners see, whatever the role."""
    orders: dict[str, tuple[str, str]] = {}

    def server(request: Request) -> Response:
        name, path = caller(request), request.operation_path
        if path == "/status":
            return answer(200, {"status": "up"})
        if path == "/reports" and report_in_public:
            return answer(200, {"revenue": 1_000, "best": ["Ada", "Grace"]})
        if name is None:
            return UNAUTHENTICATED
        if path == "/reports":
            if name not in report_for:
                return FORBIDDEN
            return answer(200, {"revenue": 1_000, "best": ["Ada", "Grace"]})
        if request.method == "POST" and path == "/orders":
            number = str(len(orders) + 1)
            orders[number] = (name, str(sent(request).get("note")))
            return answer(201, {"id": number})
        owner, note = orders.get(last_segment(request), ("", ""))
        if owner != name:
            return not_found()
        if request.method == "DELETE":
            del orders[last_segment(request)]
            return Response(status=204)
        return answer(200, {"id": last_segment(request), "note": note})

    return server


def scan_of(server: Server, approved: dict[str, tuple[str, ...]] | None = None) -> ScanRecord:
    policy: dict[str, Any] = {"access": {REPORT: ("admin",)}, "approved": approved}
    record, _ = scanned(server, PATHS, checks=(CHECK,), policy=policy)
    return record


def row(operation: str, **columns: Access) -> AccessRow:
    cells = (AccessCell(column=name, observed=seen) for name, seen in columns.items())
    return AccessRow(operation=operation, cells=tuple(cells))


GRANTED, REFUSED, UNCLEAR = Access.GRANTED, Access.REFUSED, Access.UNCLEAR


def test_each_role_and_the_anonymous_caller_have_a_cell_in_each_row() -> None:
    matrix = {each.operation: each for each in scan_of(shop()).access}
    assert list(matrix) == [
        REPORT,
        "POST /orders",
        "GET /orders/{id}",
        "DELETE /orders/{id}",
        "GET /status",
    ]
    assert matrix[REPORT].open_to == ("admin",)
    assert matrix["GET /status"].open_to == ("anonymous", "user", "admin")
    assert matrix["POST /orders"].open_to == ("user", "admin")


def test_a_role_that_may_use_its_own_objects_is_served_though_others_objects_are_refused() -> None:
    matrix = {each.operation: each for each in scan_of(shop()).access}
    assert matrix["GET /orders/{id}"].open_to == ("user", "admin")
    assert matrix["DELETE /orders/{id}"].open_to == ("user", "admin")


def test_what_is_open_to_a_role_that_the_configuration_keeps_out_is_marked() -> None:
    matrix = {each.operation: each for each in scan_of(shop(report_for=("root", "alice"))).access}
    cell = matrix[REPORT].cell("user")
    assert cell is not None
    assert cell.unexpected
    assert not any(cell.unexpected for cell in matrix["GET /status"].cells)


def test_a_list_that_is_empty_for_everybody_says_nothing_of_a_role() -> None:
    usual = shop(report_for=("root", "alice"))

    def empty(request: Request) -> Response:
        response = usual(request)
        is_report = request.path == "/reports" and response.succeeded
        return answer(200, {"rows": [], "total": 0}) if is_report else response

    matrix = {each.operation: each for each in scan_of(empty).access}
    cell = matrix[REPORT].cell("user")
    assert cell is not None
    assert cell.observed is UNCLEAR
    assert matrix[REPORT].open_to == ("admin",)


def test_an_operation_that_becomes_public_or_open_to_a_lower_role_is_a_finding() -> None:
    approved = approval(scan_of(shop()).access)
    assert scan_of(shop(), approved).findings == ()

    (lower,) = scan_of(shop(report_for=("root", "alice", "bob")), approved).findings
    assert lower.operations == (REPORT,)
    assert lower.severity is Severity.HIGH
    assert "approved for admin; it is now open to user too" in lower.detail

    (public,) = scan_of(shop(report_in_public=True), approved).findings
    assert "anonymous" in public.detail
    assert {proof.exchange.identity for proof in public.evidence} >= {None}


def test_a_new_operation_has_to_be_approved() -> None:
    approved = approval(scan_of(shop()).access)
    del approved["POST /orders"]
    (finding,) = scan_of(shop(), approved).findings
    assert finding.operations == ("POST /orders",)
    assert finding.severity is Severity.MEDIUM
    assert "new" in finding.detail


def test_what_is_narrower_or_gone_is_noted_and_no_finding() -> None:
    approved = approval(scan_of(shop(report_for=("root", "alice"))).access)
    approved["GET /gone"] = ("user",)
    record = scan_of(shop(), approved)
    assert record.findings == ()
    said = " ".join(record.notes)
    assert f"{REPORT} is approved for user and now refuses them" in said
    assert "GET /gone is approved but no longer in the document" in said


def test_where_nobody_could_tell_nothing_is_known_to_have_changed() -> None:
    before = row(REPORT, anonymous=REFUSED, user=UNCLEAR, admin=GRANTED)
    approved = approval([before])
    assert approved == {REPORT: ("user?", "admin")}
    now = row(REPORT, anonymous=REFUSED, user=GRANTED, admin=UNCLEAR)
    assert opened(now, approved) == ()
    assert closed(now, approved) == ()
    assert notes_on([now], approved, {REPORT}) == ()


def test_an_operation_that_was_not_asked_is_not_gone_from_the_document() -> None:
    before = row(REPORT, anonymous=REFUSED, user=GRANTED)
    assert notes_on([], approval([before]), {REPORT}) == ()
    assert "no longer in the document" in " ".join(notes_on([], approval([before]), ()))


def test_two_shards_make_one_matrix_in_which_the_more_telling_cell_stays() -> None:
    first = (row("GET /a", user=UNCLEAR, admin=GRANTED), row("GET /b", user=REFUSED))
    second = (row("GET /a", user=REFUSED, admin=UNCLEAR), row("GET /c", user=GRANTED))
    assert merge_rows(first, second) == (
        row("GET /a", user=REFUSED, admin=GRANTED),
        row("GET /b", user=REFUSED),
        row("GET /c", user=GRANTED),
    )


def test_without_an_approved_file_nothing_is_compared_but_the_matrix_is_there() -> None:
    record = scan_of(shop())
    assert record.access
    assert {cell.state.value for cell in record.coverage} == {"not-applicable"}


def test_the_readonly_profile_asks_only_reads() -> None:
    policy = {"profile": Profile.READONLY}
    record, exchanges = scanned(shop(), PATHS, checks=(CHECK,), policy=policy)
    assert {exchange.request.method for exchange in exchanges} == {"GET"}
    known = {each.operation for each in record.access if each.known}
    assert known == {REPORT, "GET /status"}
