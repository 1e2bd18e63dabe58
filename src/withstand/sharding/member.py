"""One test of a suite, and what it stays together with. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class ShardBy(StrEnum):
    """What is never cut in two. An xdist group stays whole in all of them but `test`."""

    TEST = "test"
    CLASS = "class"
    MODULE = "module"
    GROUP = "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One test. `outer_class` is the node id of the outermost class around it."""

    nodeid: str
    outer_class: str | None = None
    group: str | None = None

    def key(self, by: ShardBy) -> str:
        """What the test goes by when it is given to a shard: tests with one key stay together."""
        if by is ShardBy.TEST:
            return self.nodeid
        if self.group is not None:
            return f"group:{self.group}"
        if by is ShardBy.CLASS:
            return self.outer_class or self.nodeid
        return self.nodeid.partition("::")[0] if by is ShardBy.MODULE else self.nodeid
