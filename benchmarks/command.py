"""The command line of a benchmark that does something for each of several pages."""

from __future__ import annotations

import argparse
from collections.abc import Iterable


def pages(name: str, about: str | None, known: Iterable[str]) -> list[str]:
    """The pages named on the command line of `python -m benchmarks.NAME`; all if none is."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    parser.add_argument("page", nargs="*", help=f"{', '.join(known)}; all if none is given")
    given: list[str] = parser.parse_args().page
    if unknown := [page for page in given if page not in known]:
        parser.error(f"“{unknown[0]}” is no page here; choose from {', '.join(known)}")
    return given or list(known)
