"""File, environment and flags laid over one another, and `${VARIABLE}` filled in. Pure."""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import attrs

from withstand.settings.forms import suggestion
from withstand.settings.tables import SettingsFile

Path = tuple[str | int, ...]
"""Where a value is: the keys and list positions that lead to it."""

_PREFIX: Final = "WITHSTAND_"
_ALIASES: Final = {"WITHSTAND_BASE_URL": "target.base_url", "WITHSTAND_OPENAPI": "target.openapi"}
_VARIABLE: Final = re.compile(
    r"\$(?P<escaped>\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
    r"|(?P<bad>\$\{)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, and where."""

    path: Path
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layered:
    """One table from all sources. `origins` names whoever overrode the file at a path."""

    data: dict[str, Any]
    origins: Mapping[Path, str]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class _Layers:
    data: dict[str, Any]
    origins: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def environment_variables() -> Mapping[str, str]:
    """Each variable that sets a key → the dotted key: all keys that hold one value or a list."""
    return _ALIASES | {
        _PREFIX + key.replace(".", "_").upper(): key for key in _settable_keys(SettingsFile, "")
    }


def layer(
    file: Mapping[str, Any], environ: Mapping[str, str], overrides: Mapping[str, str]
) -> Layered:
    """What holds in the end: a flag wins over the environment, that over the file."""
    layers = _Layers(copy.deepcopy(dict(file)))
    _apply_environment(layers, environ)
    for dotted, text in overrides.items():
        _apply(layers, dotted, text, f"{dotted} (from the command line)")
    _expand(layers, layers.data, (), environ)
    return Layered(data=layers.data, origins=layers.origins, problems=tuple(layers.problems))


def expanded(data: Mapping[str, Any], environ: Mapping[str, str]) -> Layered:
    """A file that nothing overrides, with `${VARIABLE}` filled in."""
    layers = _Layers(copy.deepcopy(dict(data)))
    _expand(layers, layers.data, (), environ)
    return Layered(data=layers.data, origins={}, problems=tuple(layers.problems))


def _apply_environment(layers: _Layers, environ: Mapping[str, str]) -> None:
    known = environment_variables()
    short = tuple(name.removeprefix(_PREFIX) for name in known)
    taken: dict[str, str] = {}
    for name in sorted(environ):
        if not name.startswith(_PREFIX):
            continue
        dotted = known.get(name)
        if dotted is None:
            # Variables that only look like ours (the secrets of a curl line) are left alone.
            hint = suggestion(name.removeprefix(_PREFIX), short, cutoff=0.85)
            if hint:
                layers.problems.append(Problem(path=(name,), message=f"sets no key{hint}"))
            continue
        other = taken.setdefault(dotted, name)
        if environ[other] != environ[name]:
            message = f"says otherwise than {other}; both set {dotted}, so unset one"
            layers.problems.append(Problem(path=(name,), message=message))
            continue
        _apply(layers, dotted, environ[name], name)


def _apply(layers: _Layers, dotted: str, text: str, origin: str) -> None:
    path, annotation = _resolve(dotted)
    if path is None:
        hint = suggestion(dotted, tuple(environment_variables().values()))
        layers.problems.append(Problem(path=(dotted,), message=f"is no key{hint}"))
        layers.origins[(dotted,)] = origin
        return
    table = layers.data
    for key in path[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            return  # the file has something else there, which is reported as such
    table[path[-1]] = _coerced(text, annotation)
    layers.origins[path] = origin


def _resolve(dotted: str) -> tuple[tuple[str, ...] | None, Any]:
    """The keys that a dotted name stands for, and the type of the value there."""
    annotation: Any = SettingsFile
    path: list[str] = []
    rest = dotted
    while rest:
        annotation = _required(annotation)
        if attrs.has(annotation):
            key, _, rest = rest.partition(".")
            fields = attrs.fields_dict(annotation)
            if key not in fields:
                return None, None
            annotation = fields[key].type
        elif get_origin(annotation) is dict:
            value = get_args(annotation)[1]
            # Names of operations hold dots, names of identities do not.
            key, rest = (rest, "") if get_origin(value) is not dict else _first(rest)
            annotation = value
        else:
            return None, None
        path.append(key)
    return (tuple(path), _required(annotation)) if path else (None, None)


def _first(dotted: str) -> tuple[str, str]:
    key, _, rest = dotted.partition(".")
    return key, rest


def _coerced(text: str, annotation: Any) -> Any:
    """Text as its key wants it; what does not fit stays text, and is reported with the rest."""
    if annotation is bool:
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
            text.strip().lower(), text
        )
    if annotation is int:
        return int(text) if re.fullmatch(r"\s*[+-]?[0-9]+\s*", text) else text
    if get_origin(annotation) is tuple or getattr(annotation, "__name__", "") == "Texts":
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _required(annotation: Any) -> Any:
    """The type without `| None`."""
    if get_origin(annotation) in (Union, UnionType):
        return next(item for item in get_args(annotation) if item is not type(None))
    return annotation


def _settable_keys(table: Any, prefix: str) -> Iterator[str]:
    for item in attrs.fields(table):
        annotation = _required(item.type)
        if attrs.has(annotation):
            yield from _settable_keys(annotation, f"{prefix}{item.name}.")
        elif _is_settable(annotation):
            yield prefix + item.name


def _is_settable(annotation: Any) -> bool:
    if get_origin(annotation) is tuple:
        return not attrs.has(get_args(annotation)[0])
    base = getattr(annotation, "__supertype__", annotation)
    return get_origin(base) is not dict


def _expand(layers: _Layers, node: Any, path: Path, environ: Mapping[str, str]) -> Any:
    if path in layers.origins:
        return node  # the shell has expanded what it wanted to
    if isinstance(node, str):
        return _filled(layers, node, path, environ)
    if isinstance(node, dict):
        for key in node:
            node[key] = _expand(layers, node[key], (*path, key), environ)
    elif isinstance(node, list):
        node[:] = [_expand(layers, item, (*path, at), environ) for at, item in enumerate(node)]
    return node


def _filled(layers: _Layers, text: str, path: Path, environ: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "${"
        name, default = match["name"], match["default"]
        if match["bad"]:
            message = f"{text!r} has a '${{' that names no variable; write '$${{' to mean the text"
        elif environ.get(name) or (default is None and name in environ):
            return environ[name]
        elif default is not None:
            return default
        else:
            message = f"the environment variable {name} is not set"
        layers.problems.append(Problem(path=path, message=message))
        return match[0]

    return _VARIABLE.sub(value, text)
