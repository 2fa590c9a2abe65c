"""Read scenario and installation files; everything that is wrong comes out at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic

import msgspec

from node._compat import tomllib
from node.config import rules_orbit
from node.config.build import build_spacecraft
from node.config.convert import Built, convert
from node.config.finding import Finding
from node.config.installation import Installation
from node.config.locate import line_of, locate
from node.config.profile import PROFILE_RULES, BoardProfile, origin, overlay
from node.config.rules import INSTALLATION_RULES, SCENARIO_RULES, Rule, apply_rules
from node.config.scenario import Scenario
from node.errors import ConfigError, PhysicsError, Problem
from node.physics.thermal import ThermalNetwork

_MAX_FILE_BYTES = 1 << 20
"""A configuration file is text that a person wrote; anything larger is a mistake."""
_PARSER_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True)
class Document:
    """One TOML file that the parser accepted."""

    file: str
    raw: bytes
    data: dict[str, Any]
    lines: dict[str, int]

    def problem(self, finding: Finding) -> Problem:
        """Give a finding its place in this file."""
        line = line_of(self.lines, finding.path)
        return Problem(self.file, line, finding.path[2:], finding.message)


@dataclass(frozen=True)
class Examined(Generic[Built]):
    """What came of checking one document."""

    value: Built | None
    """None where there are problems."""
    tables: dict[str, Any]
    problems: list[Problem]
    warnings: list[Problem]


@dataclass(frozen=True)
class LoadedInstallation:
    """An installation, its scenario and where everything lies; all paths are absolute."""

    installation: Installation
    scenario: Scenario
    """With the figures of the installation's profile, where it has one."""
    path: Path
    scenario_path: Path
    models_path: Path
    state_path: Path
    anchor_path: Path
    password_path: Path | None
    engine_cache_path: Path | None
    """Where TensorRT keeps what it built, if it keeps any."""
    config_hash: str
    """SHA-256 over the bytes of the installation file, of the scenario file and of the profile."""
    warnings: tuple[Problem, ...]


def load_scenario(path: Path) -> Scenario:
    """Read and check one scenario file.

    Raises:
        ConfigError: with every problem of the file.
    """
    return load_scenario_with_warnings(path)[0]


def load_scenario_with_warnings(
    path: Path, duration_s: float | None = None
) -> tuple[Scenario, tuple[Problem, ...]]:
    """Read and check one scenario file; return what is doubtful in it as well.

    Args:
        path: of the file.
        duration_s: how long its orbits must last; None: as long as its mission.

    Raises:
        ConfigError: with every problem of the file.
    """
    document = read_document(path)
    examined = examine_scenario(document)
    scenario = examined.value
    if scenario is None:
        raise ConfigError(_in_order(examined.problems))
    if duration_s is None:
        return scenario, tuple(examined.warnings)
    problems, warnings = _lasting(document, scenario, duration_s)
    if problems:
        raise ConfigError(_in_order(problems))
    said_again = {(each.line, each.path) for each in warnings}
    others = [each for each in examined.warnings if (each.line, each.path) not in said_again]
    return scenario, tuple(_in_order([*others, *warnings]))


def load_installation(path: Path) -> LoadedInstallation:
    """Read and check an installation file and the scenario that it names.

    Raises:
        ConfigError: with every problem of both files, by file and line.
    """
    document = read_document(path)
    examined = _examine(document, Installation, INSTALLATION_RULES)
    problems = list(examined.problems)
    folder = path.resolve().parent
    scenario: Examined[Scenario] | None = None
    if "scenario" in examined.tables:
        try:
            # Named as the person wrote it, so that messages can be clicked and are not too long.
            scenario_document = read_document(path.parent / examined.tables["scenario"])
            scenario = examine_scenario(scenario_document)
            problems += scenario.problems
        except ConfigError as error:
            problems += error.problems
    installation = examined.value
    if installation is None or scenario is None or scenario.value is None:
        raise ConfigError(_in_order(problems))
    flown, raw = scenario.value, document.raw + scenario_document.raw
    if installation.board.profile is not None:
        profile_path = path.parent / installation.board.profile
        _, flown = load_profile(profile_path, flown)
        raw += read_document(profile_path).raw
    state_path = folder / installation.store.path
    password_file = installation.broker.password_file
    anchor = installation.clock.anchor
    tensorrt = installation.inference.provider_options.tensorrt
    engine_cache = None if tensorrt is None else tensorrt.trt_engine_cache_path
    return LoadedInstallation(
        installation=installation,
        scenario=flown,
        path=path.resolve(),
        scenario_path=(folder / installation.scenario).resolve(),
        models_path=(folder / installation.inference.models).resolve(),
        state_path=state_path.resolve(),
        anchor_path=(state_path / "clock.json" if anchor is None else folder / anchor).resolve(),
        password_path=None if password_file is None else (folder / password_file).resolve(),
        engine_cache_path=None if engine_cache is None else (folder / engine_cache).resolve(),
        config_hash=hashlib.sha256(raw).hexdigest(),
        warnings=tuple(_in_order(examined.warnings + scenario.warnings)),
    )


def load_profile(path: Path, scenario: Scenario) -> tuple[BoardProfile, Scenario]:
    """Read and check a board profile and lay it over a scenario.

    Returns:
        The profile, and the scenario with its figures; models without a point in the profile have
        their durations from the scenario.

    Raises:
        ConfigError: with every problem of the file, those of the two together included.
    """
    document = read_document(path)
    examined = _examine(document, BoardProfile, PROFILE_RULES)
    profile = examined.value
    if profile is None:
        raise ConfigError(examined.problems)
    flown = overlay(scenario, profile)
    tables = {name: getattr(flown, name) for name in flown.__struct_fields__}
    problems = [
        document.problem(
            Finding(origin(each.path, flown, profile), f"with the scenario: {each.message}")
        )
        for each in apply_rules(SCENARIO_RULES, tables)
        if not each.warning
    ]
    if problems:
        raise ConfigError(_in_order(problems))
    return profile, flown


def read_document(path: Path) -> Document:
    """Read a file, decode it and parse it.

    Raises:
        ConfigError: the file is missing, unreadable, too large, not UTF-8 or not TOML.
    """
    file = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError([Problem(file, None, "", f"cannot be read: {reason}")]) from error
    except ValueError as error:  # a NUL in the path
        raise ConfigError([Problem(file, None, "", f"cannot be read: {error}")]) from error
    if len(raw) > _MAX_FILE_BYTES:
        message = f"is larger than {_MAX_FILE_BYTES} bytes"
        raise ConfigError([Problem(file, None, "", message)])
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8: byte 0x{raw[error.start]:02x}"
        raise ConfigError([Problem(file, line, "", message)]) from error
    try:
        data = tomllib.loads(text)
    except RecursionError as error:
        message = "tables or lists are nested too deeply"
        raise ConfigError([Problem(file, None, "", message)]) from error
    except ValueError as error:  # TOMLDecodeError, and int() of too many digits
        raise ConfigError([_syntax_problem(file, text, str(error))]) from error
    return Document(file, raw, data, locate(text.replace("\r\n", "\n")))


def examine_scenario(document: Document) -> Examined[Scenario]:
    """Check a document as a scenario, down to whether physics can compute with it."""
    examined = _examine(document, Scenario, SCENARIO_RULES)
    if examined.value is None:
        return examined
    problems = [document.problem(each) for each in _flight_findings(examined.value)]
    return replace(examined, problems=problems, value=None) if problems else examined


def _lasting(
    document: Document, scenario: Scenario, duration_s: float
) -> tuple[list[Problem], list[Problem]]:
    """Problems and warnings of the orbits in a flight that is longer or shorter."""
    mission = msgspec.structs.replace(scenario.mission, duration_s=duration_s)
    tables = {"orbit": scenario.orbit, "neighbour": scenario.neighbour, "mission": mission}
    findings = list(apply_rules(rules_orbit.LASTING, tables))
    return (
        [document.problem(each) for each in findings if not each.warning],
        [document.problem(each) for each in findings if each.warning],
    )


def _flight_findings(scenario: Scenario) -> Iterator[Finding]:
    """Build what flies: a scenario that passes the check must not fail at the start."""
    try:
        craft = build_spacecraft(scenario)
    except PhysicsError as error:
        yield Finding("$", f"cannot fly: {error}")
        return
    try:
        ThermalNetwork(craft.thermal)
    except PhysicsError as error:
        yield Finding("$.thermal", f"cannot be computed: {error}")


def _examine(document: Document, type_: type[Built], rules: tuple[Rule, ...]) -> Examined[Built]:
    converted = convert(document.data, type_)
    findings = [*converted.findings, *apply_rules(rules, converted.tables)]
    problems = [document.problem(each) for each in findings if not each.warning]
    warnings = [document.problem(each) for each in findings if each.warning]
    value = None if problems else converted.value
    return Examined(value, converted.tables, _in_order(problems), _in_order(warnings))


def _syntax_problem(file: str, text: str, message: str) -> Problem:
    """Turn the parser's ``... (at line 3, column 7)`` into a problem on that line."""
    place = _PARSER_PLACE.search(message)
    line = None
    if place:
        line = int(place[1]) if place[1] else max(1, len(text.splitlines()))
        message = message[: place.start()]
    return Problem(file, line, "", f"is not TOML: {message}")


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Sort by file and line; what belongs to a whole file comes first."""
    return sorted(problems, key=lambda problem: (problem.file, problem.line or 0))
