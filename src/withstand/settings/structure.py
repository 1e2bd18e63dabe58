"""Plain data → the tables, with everything that does not fit as a list of problems."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_mapping_structure_fn

from withstand.settings.forms import FORMS, Form, Unfit, kind, suggestion, text
from withstand.settings.sources import Path, Problem
from withstand.settings.tables import SettingsFile

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Structured(Generic[T]):
    """The tables that could be read; one that could not is its default. `unread` names those."""

    tables: T
    unread: frozenset[str]
    problems: tuple[Problem, ...]


def structure(data: Mapping[str, Any]) -> Structured[SettingsFile]:
    """The tables of the configuration."""
    return structured(data, SettingsFile, FORMS)


def structured(data: Mapping[str, Any], shape: type[T], forms: Mapping[Any, Form]) -> Structured[T]:
    """Every table read by itself, so that a problem in one hides none in another.

    `shape` is an attrs class whose fields have defaults.
    """
    converter = _converter(forms)
    known: Any = shape  # an attrs class, which no annotation can say
    fields = attrs.fields_dict(known)
    problems = [_unknown((), key, tuple(fields)) for key in data if key not in fields]
    read: dict[str, Any] = {}
    unread: set[str] = set()
    for name, item in fields.items():
        if name not in data:
            continue
        annotation: Any = item.type
        try:
            read[name] = converter.structure(data[name], annotation)
        except Exception as error:
            unread.add(name)
            problems.extend(_problems(error, (name,)))
    return Structured(tables=shape(**read), unread=frozenset(unread), problems=tuple(problems))


def _converter(forms: Mapping[Any, Form]) -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    # Plain cattrs turns "no" into True and 5 into "5"; a configuration means what it says.
    converter.register_structure_hook(str, lambda value, _: text(value))
    converter.register_structure_hook(bool, lambda value, _: _exactly(value, bool, "true or false"))
    converter.register_structure_hook(int, lambda value, _: _whole_number(value))
    for annotation, form in forms.items():
        converter.register_structure_hook(annotation, _reader(form))
    converter.register_structure_hook_factory(
        lambda cls: attrs.has(cls) and cls not in forms,
        lambda cls: _table_only(make_dict_structure_fn(cls, converter)),
    )
    converter.register_structure_hook_factory(
        lambda cls: _is_generic(cls, dict),
        lambda cls: _table_only(make_mapping_structure_fn(cls, converter)),
    )
    converter.register_structure_hook_func(
        lambda cls: _is_generic(cls, tuple),
        lambda value, cls: _tuple(converter, value, cls),
    )
    return converter


def _is_generic(annotation: Any, origin: type) -> bool:
    found: object = get_origin(annotation)
    return found is origin


def _reader(form: Form) -> Callable[[Any, Any], Any]:
    return lambda value, _: form.read(value)


def _exactly(value: object, wanted: type, words: str) -> object:
    if not isinstance(value, wanted):
        raise Unfit(f"expected {words}, got {kind(value)}")
    return value


def _whole_number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unfit(f"expected a whole number, got {kind(value)}")
    if value < 1:
        raise Unfit(f"expected at least 1, got {value}")
    return value


def _table_only(inner: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def read(value: Any, cls: Any) -> Any:
        if not isinstance(value, Mapping):
            raise Unfit(f"expected a table, got {kind(value)}")
        return inner(value, cls)

    return read


def _tuple(converter: cattrs.Converter, value: Any, cls: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise Unfit(f"expected a list, got {kind(value)}")
    items: Any = list[get_args(cls)[0]]  # type: ignore[misc] # known only at run time
    return tuple(converter.structure(value, items))


def _problems(error: BaseException, path: Path) -> list[Problem]:
    """The leaves of what cattrs raised, with the keys that lead to them."""
    match error:
        case cattrs.ClassValidationError():
            noted, others = error.group_exceptions()
            found = [
                problem for inner, note in noted for problem in _problems(inner, (*path, note.name))
            ]
            return found + [problem for inner in others for problem in _problems(inner, path)]
        case cattrs.IterableValidationError():
            items, others = error.group_exceptions()
            found = [
                problem for inner, at in items for problem in _problems(inner, (*path, at.index))
            ]
            return found + [problem for inner in others for problem in _problems(inner, path)]
        case cattrs.ForbiddenExtraKeysError():
            known = tuple(attrs.fields_dict(error.cl))
            return [_unknown(path, key, known) for key in sorted(error.extra_fields)]
        case KeyError():
            return [Problem(path=path, message="is missing")]
        case Unfit():
            return [Problem(path=path, message=str(error))]
    raise error


def _unknown(path: Path, key: str, known: tuple[str, ...]) -> Problem:
    return Problem(path=(*path, key), message=f"is no key{suggestion(key, known)}")
