"""Dataclasses read from JSON that another version, or anybody, has written.

What is unknown is passed over, what has a usual value is filled in, and both are said. What is of
the wrong type is refused with its place. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
_BEYOND = 2**63  # JSON has whole numbers of any length, and numpy's and torch's end there


def read(kind: type[T], found: Any) -> tuple[T, list[str]]:
    """An object of a dataclass from JSON; and what differs from this version's, in words.

    Raises KeyError with its name for a value that is missing and has no default; ValueError with
    its place for one of the wrong type, or that the dataclass itself refuses.
    """
    differs: list[str] = []
    made: T = _read(kind, found, "", differs)
    return made, list(dict.fromkeys(differs))


def _read(kind: Any, found: Any, place: str, differs: list[str]) -> Any:
    if is_dataclass(kind):
        return _object(kind, found, place, differs)
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):  # of one type and None
        if found is None and NoneType in parts:
            return None
        (other,) = (part for part in parts if part is not NoneType)
        return _read(other, found, place, differs)
    if origin in (list, tuple):  # tuple[int, ...] too: JSON has lists alone
        items = _checked(list, found, place)
        return origin(_read(parts[0], one, f"{place}[{i}]", differs) for i, one in enumerate(items))
    if origin is dict:
        pairs = _checked(dict, found, place).items()
        return {k: _read(parts[1], one, f"{place}.{k[:40]}", differs) for k, one in pairs}
    return _checked((int, float) if kind is float else kind, found, place)


def _object(kind: Any, found: Any, place: str, differs: list[str]) -> Any:
    _checked(Mapping, found, place)
    hints = get_type_hints(kind)
    own: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}
    values = {}
    for name, field in own.items():
        if name in found:
            where = f"{place}.{name}" if place else name
            values[name] = _read(hints[name], found[name], where, differs)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise KeyError(name)
        elif field.default is not None:
            usual = field.default if field.default is not MISSING else "usual"
            differs.append(f"“{name}” is missing: taken as {usual}.")
    differs += [
        f"“{str(name)[:40]}” is unknown to this version, and was passed over."
        for name in found
        if name not in own
    ]
    return kind(**values)


def _checked(kind: Any, found: Any, place: str) -> Any:
    """The value itself, if it is of that type and one that can be calculated with."""
    is_beyond = isinstance(found, int) and abs(found) >= _BEYOND
    if not isinstance(found, kind) or isinstance(found, bool) or is_beyond:
        raise ValueError(f"“{place or 'it'}” is {str(found)[:40]!r}, which cannot be.")
    return found
