"""Whether a thing that its owner could read is deleted, also where only a mark says so. Pure."""

import re
from typing import Final

from withstand.client.exchange import Exchange, Response
from withstand.client.soft_errors import says_no
from withstand.scan.answers.landing import is_gone
from withstand.scan.answers.similarity import volatile_places

_SOFTLY: Final = re.compile(r"delet|remov|archiv|trash|active|status|state|cancel|enabled", re.I)


def how_gone(before: Response, after: Exchange) -> str | None:
    """How the thing has gone since its owner read it, as a clause; None when it is still there."""
    if is_gone(after) or (after.response is not None and says_no(after.response)):
        return "the object is gone"
    if after.response is None or not after.succeeded:
        return None
    told = [
        place
        for place in volatile_places(before, after.response)
        if _SOFTLY.search(place.rsplit(".", 1)[-1])
    ]
    return f"the owner reads that it is ({min(told).removeprefix('$.')})" if told else None
