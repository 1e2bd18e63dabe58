"""Inputs that pick a file by its name, `?file=march-7f3a.pdf`, and names that one user is told and
another is not. Sub-generators for checks.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from withstand.client.exchange import Response
from withstand.client.identity import Identity
from withstand.openapi.naming import canonical, noun, words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import segments
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.openapi.spoken import Deed, deed_of, only_reads
from withstand.scan.answers.personal import speaks_of_own
from withstand.scan.answers.shape import leaves
from withstand.scan.check import Steps, send
from withstand.scan.subject import Subject

_SAYS_FILE: Final = frozenset(
    {"file", "filename", "filepath", "path", "attachment", "document", "template", "name", "key"}
)
_FILE_NAME: Final = re.compile(
    r"(?i)\w[\w ./()+-]{0,150}\.(?:pdf|csv|tsv|txt|md|rtf|log|xml|json|ya?ml|html?|docx?|odt|xlsx?"
    r"|ods|pptx?|zip|gz|tar|7z|ics|vcf|eml|msg|sql|bak|db|mp[34]|wav|jpe?g|png|gif|tiff?|webp|svg"
    r"|dcm|pem|p12)"
)
"""Not every name with a dot: that of a host is none."""
_OWN: Final = frozenset({"exports", "reports", "uploads", "downloads", "backups", "receipts"})
_PICTURES: Final = frozenset(
    {"avatar", "picture", "photo", "image", "img", "logo", "icon", "thumbnail", "cover", "banner"}
)
"""What is shown to others on purpose."""
_MOST_LISTS: Final = 3


def names_file(operation: Operation, slot: Slot) -> bool:
    """Whether an input of a read may be the name of a file."""
    reads = operation.method == "GET" and only_reads(operation)
    return (
        reads and slot.location == "query" and slot.is_text and words(slot.name)[-1] in _SAYS_FILE
    )


def like(name: str, nonce: str) -> str:
    """A name of the same form that no file has: `may-7f3a.csv` → `b1c-09de.csv`."""
    stem, dot, ending = name.rpartition(".")
    drawn = iter(nonce.removeprefix("ws") * (len(stem) // 8 + 1))
    return "".join(next(drawn) if each.isalnum() else each for each in stem) + dot + ending


def file_told(
    subject: Subject, operation: Operation, slot: Slot, owner: Identity, stranger: Identity
) -> Steps[str | None]:
    """The name of a file that the owner's list shows, and the stranger's does not."""
    for lister in _lists_beside(subject, operation, slot):
        try:
            request = subject.build(lister, identity=owner).request
        except Unbuildable:
            continue
        own = yield from send(owner.authorize(request))
        theirs = yield from send(stranger.authorize(request))
        if own.response is None or theirs.response is None:
            continue
        if subject.seems_done(own) and subject.seems_done(theirs):
            others = set(_names_in(theirs.response, slot))
            mine = [name for name in _names_in(own.response, slot) if name not in others]
            if mine:
                return mine[0]
    return None


def _lists_beside(subject: Subject, operation: Operation, slot: Slot) -> Sequence[Operation]:
    """The lists of what the operation or its input is about, and of what people keep to themselves.

    What differs elsewhere may be what is recommended to somebody, whose pictures all may see.
    """
    about = {*map(noun, segments(operation.path)), noun(slot.name)}
    near, own = [], []
    for baseline in subject.baselines.values():
        lister = baseline.operation
        parts = segments(lister.path)
        if lister == operation or not parts or "{" in lister.path or not only_reads(lister):
            continue
        if deed_of(lister, subject.api.resolve) is not Deed.LIST:
            continue
        if noun(parts[-1]) in about:
            near.append(lister)
        elif any(map(speaks_of_own, parts)) or _OWN & {*parts}:
            own.append(lister)
    return (*near, *own)[:_MOST_LISTS]


def _names_in(response: Response, slot: Slot) -> Iterator[str]:
    """The names of files that an answer gives, also as the input of an address."""
    for key, value in leaves(response.json()):
        if not isinstance(value, str) or _PICTURES & {*words(key)}:
            continue
        if "?" in value:
            query = parse_qsl(urlsplit(value).query)
            yield from (text for name, text in query if canonical(name) == canonical(slot.name))
        elif "://" not in value and _FILE_NAME.fullmatch(value):
            yield value
