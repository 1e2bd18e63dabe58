"""The clinic's tables: one SQLite database in memory, one statement at a time."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Row = dict[str, Any]

_SCHEMA = """
create table users (
    id integer primary key autoincrement, role text not null, name text not null,
    email text not null unique, phone text not null default '', password_hash text not null,
    credit_cents integer not null default 0, speciality text not null default '');
create table appointments (
    id integer primary key autoincrement, patient_id integer not null, doctor_id integer not null,
    reason text not null, starts_at text not null, status text not null default 'booked');
create table notes (
    appointment_id integer not null, number integer not null, text text not null,
    primary key (appointment_id, number));
create table messages (
    id integer primary key autoincrement, patient_id integer not null, doctor_id integer not null,
    subject text not null, text text not null, sent_at text not null);
create table documents (
    id integer primary key autoincrement, patient_id integer not null, title text not null,
    filename text not null, content_type text not null, content blob not null);
create table feeds (
    id integer primary key autoincrement, patient_id integer not null, url text not null);
create table vouchers (
    code text primary key, patient_id integer not null, value_cents integer not null,
    redemptions integer not null default 0);
create table recovery_codes (email text primary key, code text not null);
"""


class Store:
    """Rows in and out. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.isolation_level = None
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other threads out for as long as several statements belong together."""
        with self._lock:
            yield

    def rows(self, sql: str, *values: object) -> list[Row]:
        """All rows that a query finds."""
        with self._lock:
            return [dict(row) for row in self._connection.execute(sql, values)]

    def row(self, sql: str, *values: object) -> Row | None:
        """The first row that a query finds."""
        return next(iter(self.rows(sql, *values)), None)

    def insert(self, table: str, **columns: object) -> int:
        """A new row; returns its id. `table` and the names of columns are ours, never a user's."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        with self._lock:
            cursor = self._connection.execute(
                f"insert into {table} ({names}) values ({marks})", tuple(columns.values())
            )
            return int(cursor.lastrowid or 0)

    def change(self, sql: str, *values: object) -> int:
        """An update or a deletion; returns how many rows it changed."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def close(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._connection.close()
