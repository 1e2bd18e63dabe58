"""The shop's SQLite file, and every query made on it.

One connection serves the whole process. All calls come from the event loop's thread and none
awaits in between, so each method is atomic, there is one writer, and nothing can be locked.
A query takes well under a millisecond because every one is answered from an index and bounded;
none counts or scans a table that grows.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from withstand.demo.records import Order, Product, User

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id            TEXT NOT NULL UNIQUE,
    email         TEXT NOT NULL UNIQUE,
    display_name  TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('user', 'admin')),
    password_hash TEXT NOT NULL,
    created_at    TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS products (
    sku           TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    description   TEXT NOT NULL,
    price_cents   INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS orders (
    id            TEXT NOT NULL UNIQUE,
    owner_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    skus          TEXT NOT NULL,
    note          TEXT,
    total_cents   INTEGER NOT NULL,
    created_at    TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS orders_by_owner ON orders (owner_id);
"""


class Database:
    """Users, products and orders in one file.

    Users and orders come newest first, so that the cost of a page does not grow as the shop fills.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file, and makes its tables if they are missing. Raises sqlite3.Error."""
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # With WAL this survives a crash of the process; only a power cut may lose the last orders.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def is_empty(self) -> bool:
        return self._one("SELECT 1 FROM products LIMIT 1") is None

    def fill(
        self, users: Iterable[User], products: Iterable[Product], orders: Iterable[Order]
    ) -> None:
        """Adds all of these in one transaction."""
        self._connection.execute("BEGIN")
        for product in products:
            self._connection.execute(
                "INSERT INTO products VALUES (?, ?, ?, ?)",
                (product.sku, product.name, product.description, product.price_cents),
            )
        for user in users:
            self.add_user(user)
        for order in orders:
            self.add_order(order)
        self._connection.execute("COMMIT")

    # Users

    def add_user(self, user: User) -> bool:
        """Adds the user unless the email is taken; says whether it did."""
        added = self._connection.execute(
            "INSERT INTO users (id, email, display_name, role, password_hash, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (email) DO NOTHING",
            (
                user.id,
                user.email,
                user.display_name,
                user.role,
                user.password_hash,
                user.created_at,
            ),
        )
        return added.rowcount == 1

    def user_by_id(self, user_id: str) -> User | None:
        return _user(self._one("SELECT * FROM users WHERE id = ?", user_id))

    def user_by_email(self, email: str) -> User | None:
        return _user(self._one("SELECT * FROM users WHERE email = ?", email))

    def users(self, *, limit: int, offset: int) -> list[User]:
        rows = self._all("SELECT * FROM users ORDER BY rowid DESC LIMIT ? OFFSET ?", limit, offset)
        return [user for row in rows if (user := _user(row)) is not None]

    def rename_user(self, user_id: str, display_name: str) -> None:
        self._connection.execute(
            "UPDATE users SET display_name = ? WHERE id = ?", (display_name, user_id)
        )

    def delete_user(self, user_id: str) -> bool:
        """Deletes the user and their orders; says whether there was such a user."""
        deleted = self._connection.execute("DELETE FROM users WHERE id = ?", (user_id,))
        return deleted.rowcount == 1

    # Products

    def product(self, sku: str) -> Product | None:
        row = self._one("SELECT * FROM products WHERE sku = ?", sku)
        return Product(**row) if row else None

    def search_products(self, words: str, *, limit: int, offset: int) -> list[Product]:
        """Products whose name contains the words, in the order of their SKU."""
        rows = self._all(
            "SELECT * FROM products WHERE instr(lower(name), lower(?)) > 0"
            " ORDER BY sku LIMIT ? OFFSET ?",
            words,
            limit,
            offset,
        )
        return [Product(**row) for row in rows]

    def search_products_by_concatenation(
        self, words: str, *, limit: int, offset: int
    ) -> list[Product]:
        """The flaw "sql-injection": what was typed becomes part of the query's text."""
        bounds = f"ORDER BY sku LIMIT {limit} OFFSET {offset}"
        rows = self._all(
            f"SELECT * FROM products WHERE name LIKE '%{words}%' {bounds}"  # noqa: S608 - the flaw
        )
        return [Product(**row) for row in rows]

    # Orders

    def add_order(self, order: Order) -> None:
        self._connection.execute(
            "INSERT INTO orders (id, owner_id, skus, note, total_cents, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                order.id,
                order.owner_id,
                json.dumps(order.skus),
                order.note,
                order.total_cents,
                order.created_at,
            ),
        )

    def order(self, order_id: str) -> Order | None:
        row = self._one("SELECT * FROM orders WHERE id = ?", order_id)
        return _order(row) if row else None

    def orders_of(self, owner_id: str, *, limit: int, offset: int) -> list[Order]:
        rows = self._all(
            "SELECT * FROM orders WHERE owner_id = ? ORDER BY rowid DESC LIMIT ? OFFSET ?",
            owner_id,
            limit,
            offset,
        )
        return [_order(row) for row in rows]

    def delete_order(self, order_id: str, *, owner_id: str) -> bool:
        """Deletes the order if it is this owner's; says whether it did."""
        deleted = self._connection.execute(
            "DELETE FROM orders WHERE id = ? AND owner_id = ?", (order_id, owner_id)
        )
        return deleted.rowcount == 1

    def _one(self, query: str, *values: object) -> dict[str, Any] | None:
        return next(iter(self._all(query, *values)), None)

    def _all(self, query: str, *values: object) -> Sequence[dict[str, Any]]:
        cursor = self._connection.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def _user(row: dict[str, Any] | None) -> User | None:
    return User(**row) if row else None


def _order(row: dict[str, Any]) -> Order:
    return Order(**{**row, "skus": tuple(json.loads(row["skus"]))})
