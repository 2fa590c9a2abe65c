"""The course of an examination."""

from __future__ import annotations

import time
from pathlib import Path

from node import __version__
from node.board.alone import opened_board
from node.config.load import LoadedInstallation
from node.doctor.board import check_board
from node.doctor.broker import check_broker
from node.doctor.clock import check_anchor, check_wall_clock
from node.doctor.disk import check_disk
from node.doctor.enforcement import check_enforcement
from node.doctor.finding import SCHEMA, Examination, Finding, note, warning
from node.doctor.http import check_http
from node.doctor.models import check_models
from node.doctor.packages import check_packages
from node.doctor.patient import Patient
from node.doctor.permissions import check_permissions
from node.doctor.providers import check_providers
from node.errors import BoardError
from node.inference.factory import engine_key


async def examine(patient: Patient) -> Examination:
    """Look at everything; the parts that need an installation only where there is one."""
    findings = list(_configuration(patient.loaded))
    findings += check_packages()
    if patient.board.family != "simulated":
        findings += check_permissions(patient.board.root)
    findings += await check_board(patient)
    findings += await check_enforcement(patient)
    findings += await check_providers(patient)
    findings += check_wall_clock()
    if patient.loaded is not None:
        findings += await _installed(patient.loaded)
    return Examination(
        schema=SCHEMA,
        version=__version__,
        installation=None if patient.loaded is None else str(patient.loaded.path),
        root=str(Path(patient.board.root)),
        findings=findings,
        warnings=sum(finding.status == "warning" for finding in findings),
        errors=sum(finding.status == "error" for finding in findings),
    )


async def _installed(loaded: LoadedInstallation) -> list[Finding]:
    findings: list[Finding] = []
    try:
        async with opened_board(loaded, "doctor") as board:
            key = engine_key(board, time.monotonic())
    except BoardError:
        key = ""  # said already
    findings += await check_models(loaded, key)
    findings += await check_broker(loaded)
    findings += check_anchor(loaded)
    findings += check_disk(loaded)
    findings.append(check_http(loaded))
    return findings


def _configuration(loaded: LoadedInstallation | None) -> list[Finding]:
    if loaded is None:
        return [note("configuration", "no installation is given: the board alone is examined")]
    return [
        warning("configuration", str(problem), f"edit {problem.file}")
        for problem in loaded.warnings
    ]
