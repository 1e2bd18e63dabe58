"""File names in the settings, made absolute and looked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import attrs

from withstand.settings.sources import Layered, Problem
from withstand.settings.tables import SettingsFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """The tables with absolute file names, the document when it is a file, and what is missing."""

    tables: SettingsFile
    document_file: str | None
    problems: tuple[Problem, ...]


def with_absolute_paths(
    tables: SettingsFile, layered: Layered, *, file: Path, here: Path
) -> Located:
    """Names from the file start at its directory `file`; those of flags and variables at `here`."""
    places = _Places(file=file, here=here, layered=layered)
    document_file, no_document = _document(tables, places)
    tables, missing = _absolute(tables, places)
    return Located(tables=tables, document_file=document_file, problems=(*no_document, *missing))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """What relative file names start at: the file's directory, or where the command was given."""

    file: Path
    here: Path
    layered: Layered

    def path(self, name: str, *key: str) -> Path:
        return (self.here if key in self.layered.origins else self.file) / name


def _document(tables: SettingsFile, places: _Places) -> tuple[str | None, list[Problem]]:
    """The OpenAPI document when it is a file; None when it is a URL or a path on the target."""
    key = ("target", "openapi")
    written = tables.target.openapi
    scheme, separator, _ = written.partition("://")
    if separator:
        message = f"{written!r} is no http or https address"
        return None, [] if scheme in ("http", "https") else [Problem(path=key, message=message)]
    path = places.path(written, *key)
    if path.is_file():
        return str(path), []
    if written.startswith("/"):
        return None, []
    message = f"there is no file {path}; a path on the target starts with '/'"
    return None, [Problem(path=key, message=message)]


def _absolute(tables: SettingsFile, places: _Places) -> tuple[SettingsFile, list[Problem]]:
    found: dict[str, Any] = {}
    missing = []
    for name in ("ca_file", "cert", "key"):
        written = getattr(tables.target, name)
        if written is None:
            continue
        key = ("target", name)
        path = places.path(written, *key)
        found[name] = str(path)
        if not path.is_file():
            missing.append(Problem(path=key, message=f"there is no file {path}"))
    tables = attrs.evolve(tables, target=attrs.evolve(tables.target, **found))
    if tables.login is not None and tables.login.wfc is not None:
        path = places.path(tables.login.wfc, "login", "wfc")
        tables = attrs.evolve(tables, login=attrs.evolve(tables.login, wfc=str(path)))
        if not path.is_file():
            missing.append(Problem(path=("login", "wfc"), message=f"there is no file {path}"))
    if tables.history.file is not None:  # it need not be there yet
        file = str(places.path(tables.history.file, "history", "file"))
        tables = attrs.evolve(tables, history=attrs.evolve(tables.history, file=file))
    approved = places.path(tables.security.approved_access, "security", "approved_access")
    security = attrs.evolve(tables.security, approved_access=str(approved))
    if security.baseline is not None:  # nor this one: --update-baseline writes it
        file = str(places.path(security.baseline, "security", "baseline"))
        security = attrs.evolve(security, baseline=file)
    written = security.public_key
    if written is not None:
        key_file = places.path(written, "security", "public_key")
        if key_file.is_file():
            security = attrs.evolve(security, public_key=str(key_file))
        elif not written.startswith("/"):
            message = f"there is no file {key_file}; a path on the target starts with '/'"
            missing.append(Problem(path=("security", "public_key"), message=message))
    return attrs.evolve(tables, security=security), missing
