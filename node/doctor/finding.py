"""What an examination finds. The JSON of ``orbitnode doctor --json`` is `Examination`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

SCHEMA = 1
Status = Literal["ok", "note", "warning", "error"]
"""``note``: worth knowing, nothing to mend. ``warning``: works, but less well than it could.
``error``: the node does not start, or does not do what it is configured to do."""


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    area: str
    """``board``, ``power``, ``broker`` and so on."""
    status: Status
    text: str
    remedy: str = ""
    """A command, or a file to edit; every warning and error has one."""


class Examination(Struct, frozen=True):
    """Everything that was found, in the order of looking."""

    schema: int
    version: str
    """Of orbitnode."""
    installation: str | None
    """Path of the installation file; None where the board alone was examined."""
    root: str
    """Where the board's files were looked for."""
    findings: list[Finding]
    warnings: int
    errors: int


def ok(area: str, text: str) -> Finding:
    """All is well."""
    return Finding(area, "ok", text)


def note(area: str, text: str, remedy: str = "") -> Finding:
    """Worth knowing."""
    return Finding(area, "note", text, remedy)


def warning(area: str, text: str, remedy: str) -> Finding:
    """Works, but less well than it could."""
    return Finding(area, "warning", text, remedy)


def error(area: str, text: str, remedy: str) -> Finding:
    """Does not work."""
    return Finding(area, "error", text, remedy)
