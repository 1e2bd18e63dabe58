"""What a response must be like to count as no error, besides its status. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from withstand.client.exchange import Response
from withstand.client.identity import json_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """`contains` and `lacks` are texts of the body, `json` maps JSON paths to values; `max_bytes`
    is the longest body, content codings undone.
    """

    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    json: Mapping[str, object] = field(default_factory=dict)
    max_bytes: int | None = None

    def unmet(self, response: Response) -> str | None:
        """The first thing that is not as expected, in a few words; None when all is.

        It names what was expected and nothing of the response, so that a run has few of them.
        """
        if self.max_bytes is not None and len(response.body) > self.max_bytes:
            return f"the body is longer than {self.max_bytes:,} bytes"
        if self.contains or self.lacks:
            text = response.text
            for wanted in self.contains:
                if wanted not in text:
                    return f"the body does not contain {wanted!r}"
            for unwanted in self.lacks:
                if unwanted in text:
                    return f"the body contains {unwanted!r}"
        if self.json:
            document = response.json()
            for path, value in self.json.items():
                if not _equal(json_path(document, path), value):
                    return f"{path} is not {json.dumps(value, ensure_ascii=False)}"
        return None


def _equal(found: object, wanted: object) -> bool:
    """Equality in which true is not 1, as in JSON."""
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    return found == wanted
