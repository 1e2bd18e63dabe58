"""An uploaded page or drawing with a script in it is served to browsers as such."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.openapi.body_encoding import Upload, best_body, is_file, multipart_body
from withstand.openapi.naming import words
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.scan.access.objects import like_baseline
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Inconclusive,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    not_applicable,
    send,
    shown,
)
from withstand.scan.examples import answer, last_segment, not_found, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.copies import copies
from withstand.scan.subject import Subject

_MARKUP: Final = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml"})
_DRAWING: Final = frozenset({"application/xml", "text/xml"})  # scripts run in SVG inside these
_MOST_COPIES: Final = 6  # places in which one upload is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bait:
    """A file with a script in it, and what the script looks like wherever the file is served."""

    upload: Upload
    script: str


def applies(subject: Subject) -> Skipped | None:
    if subject.operation is None or subject.operation.is_read or not _files(subject):
        return not_applicable("it takes no file")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    looked = False
    accepted = False
    for slot in _files(subject):
        for bait in _baits(subject.nonce()):
            request = _uploading(subject, slot, bait)
            if request is None:
                return Inconclusive(reason="no upload could be built")
            taken = yield from send(request)
            if not taken.succeeded or taken.response is None or subject.refused(taken.response):
                continue
            accepted = True
            for place in tuple(copies(subject, taken, bait.upload.name))[:_MOST_COPIES]:
                copy = yield from send(place)
                looked = looked or (copy.response is not None and copy.succeeded)
                if copy.response is not None and _runs(copy.response, bait):
                    return _failed(slot, bait, taken, copy)
            if looked:
                break  # it is taken and served, but not as a page
    if looked:
        return PASSED
    if accepted:
        return Inconclusive(reason="a page was taken, but where it is served could not be found")
    return Passed(note="neither pages nor drawings are taken")


def _files(subject: Subject) -> tuple[Slot, ...]:
    assert subject.operation is not None, "runs once for each operation"
    body = best_body(subject.operation.bodies)
    in_parts = body is not None and body == multipart_body(subject.operation.bodies)
    sent = subject.baseline.built.values if subject.baseline is not None else {}
    return tuple(
        slot
        for slot in subject.builder.slots(subject.operation)
        if slot.location == "body"
        and (
            is_file(slot.schema, slot.name.removesuffix(".0") if in_parts else "")
            or isinstance(sent.get(slot), Upload)
        )
    )


def _baits(nonce: str) -> Iterator[_Bait]:
    """Names and types agree or not: some servers look at the one, and some serve by the other."""
    script = f"<script>/*{nonce}*/</script>"
    page = f"<!doctype html><html><body>{script}</body></html>".encode()
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg">{script}</svg>'.encode()
    for ending, media_type, content in (
        ("html", "text/html", page),
        ("svg", "image/svg+xml", drawing),
        ("html", "image/png", page),
        ("png", "text/html", page),
    ):
        name = f"{nonce}.{ending}"
        yield _Bait(upload=Upload(name=name, media_type=media_type, content=content), script=script)


def _uploading(subject: Subject, slot: Slot, bait: _Bait) -> Request | None:
    baseline = subject.baseline
    assert baseline is not None, "only operations with a baseline are judged"
    chosen: dict[Slot, object] = {slot: bait.upload}
    for other in baseline.built.values:
        is_name = other.location in {"path", "query", "body"} and other.is_text
        if is_name and other != slot and words(other.name)[-1] in {"filename", "file"}:
            chosen[other] = bait.upload.name
    try:
        request = like_baseline(subject, baseline, chosen).request
    except Unbuildable:
        return None
    if not (request.header("content-type") or "").startswith("multipart/"):
        request = request.with_header("Content-Type", bait.upload.media_type)
    return subject.owner.authorize(request) if subject.owner is not None else request


def _runs(response: Response, bait: _Bait) -> bool:
    """Whether a browser that opens this address runs the script."""
    if not response.succeeded or bait.script not in response.text:
        return False
    if (response.header("content-disposition") or "").lower().startswith("attachment"):
        return False
    if _forbids_scripts(response.header("content-security-policy") or ""):
        return False
    if response.media_type in _MARKUP:
        return True
    if response.media_type in _DRAWING:
        return bait.upload.name.endswith(".svg")
    return response.media_type == "" and (
        (response.header("x-content-type-options") or "").lower() != "nosniff"
    )


def _forbids_scripts(policy: str) -> bool:
    """Whether a Content-Security-Policy keeps a script that stands in the page from running."""
    directives: dict[str, list[str]] = {}
    for directive in policy.lower().split(";"):
        name, *sources = directive.split() or [""]
        directives.setdefault(name, sources)
    if "sandbox" in directives and "allow-scripts" not in directives["sandbox"]:
        return True
    allowed = directives.get("script-src", directives.get("default-src"))
    return allowed is not None and "'unsafe-inline'" not in allowed


def _failed(slot: Slot, bait: _Bait, taken: Exchange, copy: Exchange) -> Failed:
    media_type = copy.response.media_type if copy.response is not None else ""
    return Failed(
        detail=f"A file with a script, sent as {bait.upload.name.rpartition('.')[2].upper()} in "
        f"{slot.location} {slot.name or 'itself'}, is served as {media_type or 'no type at all'}, "
        "so browsers run the script.",
        evidence=(
            shown("The file is taken", taken),
            shown("Its copy is served as a page", copy, bait.script),
        ),
        parameter=f"{slot.location} {slot.name}".rstrip(),
        confidence=Confidence.CERTAIN,
    )


class _Files:
    """Keeps what was uploaded, and serves it by the type that the client gave, or as a download."""

    def __init__(self, *, as_downloads: bool) -> None:
        self._kept: dict[str, tuple[str, bytes]] = {}
        self._as_downloads = as_downloads

    def __call__(self, request: Request) -> Response:
        if request.method == "POST":
            head, _, content = request.body.partition(b"\r\n\r\n")
            media_type = head.decode().rpartition("Content-Type: ")[2]
            number = str(len(self._kept) + 4711)
            self._kept[number] = (media_type, content.rpartition(b"\r\n--")[0])
            return answer(201, {"id": number})
        if last_segment(request) not in self._kept:
            return not_found()
        media_type, content = self._kept[last_segment(request)]
        headers = (("Content-Type", media_type), ("X-Content-Type-Options", "nosniff"))
        found = Response(status=200, headers=headers, body=content)
        if self._as_downloads:
            return replace(found, headers=(*found.headers, ("Content-Disposition", "attachment")))
        return found


def vulnerable() -> Server:
    return _Files(as_downloads=False)


def safe() -> Server:
    return _Files(as_downloads=True)


_FORM: Final = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary"}},
    "required": ["file"],
}

CHECK = Check(
    name="uploaded-markup-served",
    title="Uploaded pages and drawings run in the browsers of others",
    family="input handling",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(434, 79), owasp=("API8:2023",), asvs=("5.2.2", "5.4.1"), wstg=("WSTG-BUSL-09",)
    ),
    explanation=(
        "The API takes an HTML page or an SVG drawing as a file and serves it from its own address "
        "as such, so a script in it runs in the browser of whoever opens the link, with that "
        "reader's session. The check uploads both with a script that does nothing, also under a "
        "harmless name or type, looks for the copy where the answer points and where the document "
        "reads files, and reports it only if a browser would run it. To take such files is no flaw "
        "by itself."
    ),
    remedy=(
        "Allow the types that you need, by content and not by name, and keep files under names of "
        "your own. Serve them with `Content-Disposition: attachment` and `X-Content-Type-Options: "
        "nosniff`, or from another host without cookies."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/files": {
                "post": operation(
                    secured=False,
                    requestBody={
                        "required": True,
                        "content": {"multipart/form-data": {"schema": _FORM}},
                    },
                )
            },
            "/files/{id}": {"get": operation(secured=False, parameters=(("path", "id"),))},
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
