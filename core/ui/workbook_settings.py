"""Every setting of the workbook page: its name in the URL and its default."""

from __future__ import annotations

from core.ui.settings import Choice, Settings

TASKS = ("check", "export")

settings = Settings("workbook", [Choice("task", TASKS[0], TASKS)])
