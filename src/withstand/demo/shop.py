"""Everything that the operations share, opened from one data directory."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from withstand.demo import seed
from withstand.demo.database import Database
from withstand.demo.failed_logins import FailedLogins
from withstand.demo.flaws import Planted
from withstand.demo.passwords import Passwords
from withstand.demo.tokens import Tokens, signing_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    database: Database
    passwords: Passwords
    tokens: Tokens
    failed_logins: FailedLogins
    planted: Planted


@contextlib.contextmanager
def opened(data: Path, planted: Planted) -> Iterator[Shop]:
    """The shop whose files are in this directory, filled if it is new.

    Raises OSError and sqlite3.Error.
    """
    with (
        contextlib.closing(Database(data / "shop.sqlite3")) as database,
        contextlib.closing(Passwords()) as passwords,
    ):
        seed.fill(database)
        yield Shop(
            database=database,
            passwords=passwords,
            tokens=Tokens(signing_key(data), planted),
            failed_logins=FailedLogins(),
            planted=planted,
        )
