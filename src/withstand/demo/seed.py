"""What a new shop holds: the people and products that the demo's configuration speaks of."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

from withstand.demo.database import Database
from withstand.demo.passwords import hash_password
from withstand.demo.records import Order, Product, Role, User, timestamp_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody whose password is known, to log in as."""

    name: str
    display_name: str
    role: Role
    email: str
    password: str


LOADTEST = Identity(
    name="loadtest",
    display_name="Load Test",
    role="user",
    email="loadtest@example.com",
    password="Test@1234",  # noqa: S106 - published on purpose, as are the next three
)
ALICE = Identity(
    name="alice",
    display_name="Alice",
    role="user",
    email="alice@example.com",
    password="alice-likes-teapots",  # noqa: S106 - see above
)
BOB = Identity(
    name="bob",
    display_name="Bob",
    role="user",
    email="bob@example.com",
    password="bob-collects-kettles",  # noqa: S106 - see above
)
ROOT = Identity(
    name="root",
    display_name="Root",
    role="admin",
    email="root@example.com",
    password="root-runs-the-shop",  # noqa: S106 - see above
)
IDENTITIES = (LOADTEST, ALICE, BOB, ROOT)

_CUSTOMERS = 120
_FIRST_NAMES = ("Ada", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "June")
_LAST_NAMES = (
    "Abbott", "Berger", "Costa", "Dahl", "Evans", "Fischer",
    "Garcia", "Hansen", "Ito", "Jansen", "Kaur", "Lind",
)  # fmt: skip

_GOODS = ("Teapot", "Kettle", "Cup", "Tray", "Spoon", "Toaster")
_FINISHES = ("Plain", "Blue", "Copper", "Enamel", "Glass", "Oak")


def fill(database: Database) -> None:
    """Puts the first users, products and orders into an empty database; leaves others alone."""
    if not database.is_empty():
        return
    products = list(_products())
    known = {
        identity.name: User(
            id=str(uuid4()),
            email=identity.email,
            display_name=identity.display_name,
            role=identity.role,
            password_hash=hash_password(identity.password),
            created_at=timestamp_now(),
        )
        for identity in IDENTITIES
    }
    orders = [
        _order(known["alice"], products[0], "Please gift-wrap it for my aunt."),
        _order(known["bob"], products[1], "Leave it with the neighbours at number 7."),
    ]
    database.fill([*known.values(), *_customers()], products, orders)


def _customers() -> Iterator[User]:
    # Nobody logs in as them, so one hash of a password that nobody knows serves for all.
    unknown = hash_password(os.urandom(16).hex())
    now = timestamp_now()
    for number in range(_CUSTOMERS):
        first = _FIRST_NAMES[number % len(_FIRST_NAMES)]
        last = _LAST_NAMES[number // len(_FIRST_NAMES)]
        yield User(
            id=str(uuid4()),
            email=f"{first}.{last}@example.net".lower(),
            display_name=f"{first} {last}",
            role="user",
            password_hash=unknown,
            created_at=now,
        )


def _products() -> Iterator[Product]:
    pairs = [(finish, thing) for finish in _FINISHES for thing in _GOODS]
    for number, (finish, thing) in enumerate(pairs, start=1):
        yield Product(
            sku=f"SKU-{number:03}",
            name=f"{finish} {thing}",
            description=f"A {thing.lower()} for every day. Finish: {finish.lower()}.",
            price_cents=495 + 250 * number,
        )


def _order(owner: User, product: Product, note: str) -> Order:
    return Order(
        id=str(uuid4()),
        owner_id=owner.id,
        skus=(product.sku,),
        note=note,
        total_cents=product.price_cents,
        created_at=timestamp_now(),
    )
