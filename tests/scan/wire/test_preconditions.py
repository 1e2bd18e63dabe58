"""Optimistic locks: what wants If-Match gets it, and the version is that of the thing itself."""

import json
from typing import Any

from tests.scan.small_api import PATHS, Notes, answer, scanned
from withstand.client.exchange import Request, Response
from withstand.scan.catalogue import check_named
from withstand.scan.records.record import CoverageState

_TEXT = {"type": "object", "properties": {"text": {"type": "string"}}}
LOCKED: dict[str, Any] = {
    **PATHS,
    "/notes/{id}": {
        **PATHS["/notes/{id}"],
        "put": {
            **PATHS["/notes/{id}"]["get"],
            "requestBody": {"required": True, "content": {"application/json": {"schema": _TEXT}}},
        },
    },
}
CHECK = "object-changeable-by-other-user"


class Locked(Notes):
    """Notes that are changed and deleted only by who says which version; `guarded`: and owns it."""

    def __init__(self, *, guarded: bool) -> None:
        super().__init__()
        self.guarded = guarded
        self.versions: dict[int, int] = {}

    def _note(self, request: Request, user: str, number: int) -> Response:
        owner, text = self.notes.get(number, ("", ""))
        if not owner or (owner != user and (self.guarded or request.method != "PUT")):
            return answer(404, {"error": "no such note"})
        etag = f'"{number}-{self.versions.get(number, 0)}"'
        if request.method in {"PUT", "DELETE"}:
            wanted = request.header("if-match")
            if wanted is None:
                return answer(428, {"error": "which version?"})
            if wanted != etag:
                return answer(412, {"error": "that was another version"})
        if request.method == "DELETE":
            del self.notes[number]
            return Response(status=204)
        if request.method == "PUT":
            text = json.loads(request.body)["text"]
            self.notes[number] = (owner, text)
            self.versions[number] = self.versions.get(number, 0) + 1
            etag = f'"{number}-{self.versions[number]}"'
        found = answer(200, {"id": number, "text": text})
        return Response(status=200, headers=(*found.headers, ("ETag", etag)), body=found.body)


def test_what_is_locked_is_changed_judged_and_deleted_again() -> None:
    api = Locked(guarded=True)
    record, _ = scanned(check_named(CHECK), server=api, paths=LOCKED)
    (row,) = [row for row in record.coverage if row.operation == "PUT /notes/{id}"]
    assert row.state is CoverageState.PASSED
    assert not api.notes


def test_a_lock_hides_no_missing_owner() -> None:
    record, _ = scanned(check_named(CHECK), server=Locked(guarded=False), paths=LOCKED)
    assert [finding.check for finding in record.findings] == [CHECK]
