"""`check`, which judges the same bytes once.

`mended` judges its copy before it hands it out, and the tests ask for the report of that copy too.
"""

from functools import lru_cache

from core.workbook import checker
from core.workbook.file.progress import silent

_report_of = lru_cache(maxsize=2)(checker.check)


def check(source, tell=silent):
    if isinstance(source, bytes) and tell is silent:
        return _report_of(source)
    return checker.check(source, tell)
