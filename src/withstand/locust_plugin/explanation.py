"""Which client sent the requests of each line, as a person reads it. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping


def explanation(call_sites: Mapping[tuple[str, str], int]) -> str:
    """A block of lines, the busiest call sites first."""
    if not call_sites:
        return "Withstand: no request was sent from here.\n"
    by_site: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (site, way), times in call_sites.items():
        by_site[site][way] += times
    lines = ["Which client sent the requests of each line:"]
    for site, ways in sorted(by_site.items(), key=lambda each: -each[1].total()):
        for way, times in ways.most_common():
            lines.append(f"  {site}  {times:,} {_told(way)}")
    return "\n".join(lines) + "\n"


def _told(way: str) -> str:
    if way == "fast":
        return "by Withstand's client"
    client, _, why = way.partition(": ")
    return f"by {client}, because of {why}"
