"""Reading an authentication file of the Web Fuzzing Commons, in YAML, JSON or TOML."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from withstand.client.identity import Identity
from withstand.client.wfc import wfc_identities
from withstand.errors import UsageError
from withstand.settings.sources import Problem, expanded

if TYPE_CHECKING:
    from withstand.settings.tables import SettingsFile

_KEY = ("login", "wfc")


def read_wfc(
    tables: "SettingsFile", environ: Mapping[str, str], here: Path
) -> tuple[tuple[Identity, ...], list[Problem]]:
    """The identities of the file that [login] names, with `${VARIABLE}` filled in; none without."""
    if tables.login is None or tables.login.wfc is None or not Path(tables.login.wfc).is_file():
        return (), []
    path = Path(tables.login.wfc)
    try:
        document = _document(path, here)
        if isinstance(document, dict):
            filled = expanded(document, environ)
            if filled.problems:
                return (), [Problem(path=_KEY, message=p.message) for p in filled.problems]
            document = filled.data
        url = tables.target.base_url
        parts = urlsplit(url) if url is not None else None
        origin = f"{parts.scheme}://{parts.netloc}" if parts is not None else None
        return wfc_identities(document, source=path.name, origin=origin), []
    except UsageError as error:
        hint = f"; {error.hint}" if error.hint else ""
        return (), [Problem(path=_KEY, message=error.message + hint)]


def _document(path: Path, here: Path) -> Any:
    # Deferred: YAML is needed by nobody else here.
    from withstand.openapi.yaml_text import YamlSyntaxError, read_yaml
    from withstand.settings.files import read_text, read_toml

    if path.suffix == ".toml":
        return read_toml(path, here)
    try:
        return read_yaml(read_text(path, here))
    except YamlSyntaxError as error:
        raise UsageError(f"{path.name} is no YAML: {error}") from None
