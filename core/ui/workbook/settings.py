"""Every setting of the workbook page: its name in the address and its default."""

from __future__ import annotations

from core.ui.settings import Choice, Settings

TASK_WORDS = {"check": "Check one", "export": "Hand one out"}

settings = Settings("workbook", [Choice("task", "check", tuple(TASK_WORDS))])
