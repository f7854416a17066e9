"""What files of another version have more or less than today's: read all the same, and said.

Needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any


def filled(usual: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The values found, with those of `usual` where some are missing; and what differs, in words.

    Values that are mappings themselves are filled in the same way.
    """
    values: dict[str, Any] = {}
    differs = [_unknown(name) for name in found if name not in usual]
    for name, value in usual.items():
        if name not in found:
            values[name] = value
            differs.append(f"“{name}” is missing: taken as {value}.")
        elif isinstance(value, Mapping) and isinstance(found[name], Mapping):
            values[name], more = filled(value, found[name])
            differs += more
        else:
            values[name] = found[name]
    return values, differs


def known(kind: type, found: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The values that a dataclass knows; and what differs, in words.

    Raises KeyError, with its name, for one that is missing and has no default.
    """
    own: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}
    for name, field in own.items():
        if name not in found and field.default is MISSING and field.default_factory is MISSING:
            raise KeyError(name)
    values = {name: value for name, value in found.items() if name in own}
    return values, [_unknown(name) for name in found if name not in own]


def _unknown(name: str) -> str:
    return f"“{name[:40]}” is unknown to this version, and was passed over."
