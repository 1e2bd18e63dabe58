"""What the shop keeps: users, products and orders, as rows of its database."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Role = Literal["user", "admin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    id: str
    email: str
    display_name: str
    role: Role
    password_hash: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    sku: str
    name: str
    description: str
    price_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    id: str
    owner_id: str
    skus: tuple[str, ...]
    note: str | None
    total_cents: int
    created_at: str


def timestamp_now() -> str:
    """The present as RFC 3339 text in UTC, the form in which times are kept and answered."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
