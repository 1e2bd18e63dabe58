"""HTML pages as trees: what they say, which forms they have, what stands beside what. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser
from typing import Final

from withstand.client.exchange import Response

_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_UNSEEN: Final = frozenset({"script", "style", "template", "noscript", "head"})
_CELLS: Final = frozenset({"td", "th"})
_ENDED_BY: Final = {  # elements whose end tag may be left out, by what ends them
    "li": frozenset({"li"}), "option": frozenset({"option"}), "p": frozenset({"p"}),
    "tr": _CELLS | {"tr"}, "td": _CELLS, "th": _CELLS,
    "dt": frozenset({"dt", "dd"}), "dd": frozenset({"dt", "dd"}),
}  # fmt: skip
_LONGEST: Final = 200_000  # characters that are read
_DEEPEST: Final = 200  # elements inside one another; deeper ones count as beside


@dataclass(slots=True, eq=False)
class Element:
    """One element. `children` are elements and texts, in the order of the page."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    def all(self, *tags: str) -> Iterator["Element"]:
        """This element and those inside it, of these tags or of any; in the page's order."""
        waiting: list[Element] = [self]
        while waiting:
            element = waiting.pop()
            if not tags or element.tag in tags:
                yield element
            waiting.extend(each for each in reversed(element.children) if isinstance(each, Element))

    @property
    def text(self) -> str:
        """What people see of it, in one line."""
        pieces: list[str] = []
        waiting: list[Element | str] = [self]
        while waiting:
            part = waiting.pop()
            if isinstance(part, str):
                pieces.append(part)
            elif part.is_seen:
                waiting.extend(reversed(part.children))
        return " ".join(" ".join(pieces).split())

    @property
    def own_text(self) -> str:
        """The text right inside it, without that of inner elements."""
        return " ".join("".join(part for part in self.children if isinstance(part, str)).split())

    @property
    def is_seen(self) -> bool:
        """Whether the page shows it, as far as the page itself says."""
        style = self.attributes.get("style", "").replace(" ", "").lower()
        return (
            self.tag not in _UNSEEN
            and "hidden" not in self.attributes
            and "display:none" not in style
        )


def page_of(response: Response) -> Element | None:
    """The page in a response; None where it is no HTML."""
    return _parsed(response.text[:_LONGEST]) if "html" in response.media_type else None


def properties_of(page: Element) -> dict[str, str]:
    """What a page shows under a name: the rows of tables and definitions, and locked inputs.

    The name of a row is its heading in lower case with underscores. An input that is not locked
    is an offer, and shows nothing that one could not set.
    """
    found: dict[str, str] = {}
    for element in page.all("input", "dl", "tr"):
        if element.tag == "input":
            name = element.attributes.get("name", "")
            if name and {"disabled", "readonly"} & element.attributes.keys():
                found.setdefault(name, element.attributes.get("value", ""))
            continue
        heading = None
        for part in (each for each in element.children if isinstance(each, Element)):
            if part.tag in {"dt", "th"}:
                heading = part.text.rstrip(":").lower().replace(" ", "_")
            elif part.tag in {"dd", "td"} and heading:
                found.setdefault(heading, part.text)
                heading = None
    return found


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("html")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while self._open[-1].tag in _ENDED_BY.get(tag, ()) and len(self._open) > 1:
            self._open.pop()
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID and len(self._open) < _DEEPEST:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        for index in range(len(self._open) - 1, 0, -1):
            if self._open[index].tag == tag:
                del self._open[index:]
                return

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


@lru_cache(maxsize=256)  # several rules look at the same page
def _parsed(text: str) -> Element:
    builder = _Builder()
    builder.feed(text)
    builder.close()
    return builder.root
