"""An examination for people: a line for each finding, its remedy below."""

from __future__ import annotations

from collections.abc import Iterator

from node.doctor.finding import Examination

_COLOURS = {"ok": "32", "note": "36", "warning": "33", "error": "31"}
_STATUS_WIDTH = 7
_AREA_WIDTH = 13


def render(examination: Examination, *, colour: bool) -> str:
    """Lay findings out."""
    return "\n".join(_lines(examination, colour)) + "\n"


def _lines(examination: Examination, colour: bool) -> Iterator[str]:
    for finding in examination.findings:
        status = f"{finding.status:{_STATUS_WIDTH}}"
        if colour:
            status = f"\033[{_COLOURS[finding.status]}m{status}\033[0m"
        yield f"{status}  {finding.area:{_AREA_WIDTH}}  {finding.text}"
        if finding.remedy:
            yield f"{'':{_STATUS_WIDTH}}  {'':{_AREA_WIDTH}}  -> {finding.remedy}"
    yield ""
    yield f"{_count(examination.errors, 'error')}, {_count(examination.warnings, 'warning')}"


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
