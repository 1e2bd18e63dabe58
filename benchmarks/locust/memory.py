"""What a user takes of memory: many idle users, minus few, each after one request."""

import time
from collections.abc import Callable
from typing import Any

from generator import Generator, GeneratorFailed
from nginx import Nginx
from rows import OURS, STOCK, TARGETS, command

FEW, MANY = 10, 1_000
USERS = dict(zip(TARGETS, ("Plain", "Fast"), strict=True))
WITHIN_S = 60.0
_REST_S = 2.0


def memory(nginx: Nginx, *, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """So many rounds: by kind and variant the bytes of a user, or `failed` and why."""
    done: list[dict[str, Any]] = []
    for number in range(1, rounds + 1):
        results: dict[str, Any] = {}
        for kind, user in USERS.items():
            for variant in (STOCK, OURS):
                try:
                    few, many = (_rss(nginx, variant, user, users) for users in (FEW, MANY))
                except GeneratorFailed as problem:
                    found: dict[str, Any] = {"failed": str(problem)}
                    say(f"  {number} {kind}, {variant}: FAILED, {problem}")
                else:
                    each = (many - few) / (MANY - FEW)
                    found = {"few": few, "many": many, "per_user_bytes": each}
                    say(f"  {number} {kind}, {variant}: {each / 1e3:.1f} kB per user")
                results.setdefault(kind, {})[variant] = found
        done.append(results)
    return {"few": FEW, "many": MANY, "rounds": done}


def _rss(nginx: Nginx, variant: str, user: str, users: int) -> int:
    """Resident set size once each user has made its request and all rest."""
    before = nginx.answered()
    with Generator(command(variant, "idle.py", user, nginx.url, users)) as generator:
        deadline = time.monotonic() + WITHIN_S
        while (seen := nginx.answered() - before) < users:
            if not generator.running:
                raise GeneratorFailed(f"it ended: {generator.complaint()}")
            if time.monotonic() > deadline:
                raise GeneratorFailed(f"only {seen:,} of {users:,} users sent within {WITHIN_S} s")
            time.sleep(0.1)
        time.sleep(_REST_S)
        if (seen := nginx.answered() - before) != users or not generator.running:
            raise GeneratorFailed(f"{users:,} users sent {seen:,} requests")
        return generator.rss_bytes()
