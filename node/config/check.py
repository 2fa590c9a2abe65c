"""``orbitnode check``: say what is wrong with a file, or what would fly, without starting."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from node.config.build import build_spacecraft
from node.config.effective import effective
from node.config.load import (
    LoadedInstallation,
    examine_scenario,
    load_installation,
    read_document,
)
from node.config.omm import read_message
from node.config.scenario import AnyOrbit, KeplerianOrbit, Scenario, SsoOrbit, TleOrbit
from node.errors import ConfigError, Problem

EXIT_OK = 0
EXIT_CONFIG = 78
"""EX_CONFIG of sysexits.h; the service does not restart after it."""


def run_check(path: Path, show: bool) -> int:
    """Check an installation with its scenario, or a scenario alone.

    Problems go to stderr, one line each; the summary or, with ``show``, the whole effective
    configuration goes to stdout.

    Returns:
        The exit status: 0, or 78 where anything is wrong.
    """
    try:
        loaded, warnings = _load(path)
    except ConfigError as error:
        sys.stderr.writelines(f"{problem}\n" for problem in error.problems)
        return EXIT_CONFIG
    if show:
        sys.stdout.write(effective(loaded))
    else:
        sys.stdout.writelines(f"{line}\n" for line in _summary(path, loaded))
    # With --show stdout is TOML that can be piped on, so the warnings go where problems go.
    stream = sys.stderr if show else sys.stdout
    stream.writelines(f"warning: {warning}\n" for warning in warnings)
    return EXIT_OK


def _load(path: Path) -> tuple[LoadedInstallation | Scenario, tuple[Problem, ...]]:
    """Tell the two kinds of file apart by their keys and load the one that it is."""
    document = read_document(path)
    if "mission" in document.data:
        examined = examine_scenario(document)
        if examined.value is None:
            raise ConfigError(examined.problems)
        return examined.value, tuple(examined.warnings)
    if document.data.keys() & {"node", "scenario"}:
        loaded = load_installation(path)
        return loaded, loaded.warnings
    message = (
        "is neither a scenario (it has no [mission]) "
        "nor an installation (it has no 'node' and no 'scenario')"
    )
    raise ConfigError([Problem(document.file, None, "", message)])


def _summary(path: Path, loaded: LoadedInstallation | Scenario) -> Iterator[str]:
    yield f"{path}: no problems"
    if isinstance(loaded, LoadedInstallation):
        yield from _installation_lines(loaded)
        loaded = loaded.scenario
    yield from _scenario_lines(loaded)


def _installation_lines(loaded: LoadedInstallation) -> Iterator[str]:
    installation = loaded.installation
    clock, broker, http = installation.clock, installation.broker, installation.http
    rate = f" at {clock.rate:g} mission seconds a second" if clock.mode == "scaled" else ""
    yield f"  node      {installation.node} on a {installation.board.family} board"
    yield f"  clock     {clock.mode}{rate}, after a restart {clock.restart}"
    yield f"  broker    {broker.host}:{broker.port}"
    yield f"  inference {installation.inference.executor}, models in {loaded.models_path}"
    yield f"  state     {loaded.state_path}"
    yield f"  metrics   http://{http.host}:{http.port}/metrics"
    yield f"  scenario  {loaded.scenario_path}"
    yield f"  hash      {loaded.config_hash}"


def _scenario_lines(scenario: Scenario) -> Iterator[str]:
    mission, battery = scenario.mission, scenario.battery
    capacity_wh = build_spacecraft(scenario).battery.capacity_wh
    area_m2 = sum(panel.area_m2 for panel in scenario.array)
    stations = ", ".join(station.name for station in scenario.ground_station)
    models = ", ".join(
        f"{model.name} ({model.duration_s:g} s, at most {model.max_duration_s:g} s)"
        for model in scenario.model
    )
    jobs = sum(work.count for work in scenario.workload)
    epoch = f"{mission.epoch:%Y-%m-%dT%H:%M:%SZ}"
    yield f"  mission   {mission.name}, {mission.duration_s:g} s from {epoch}"
    yield f"  orbit     {_orbit(scenario.orbit)}, attitude {scenario.attitude}"
    yield f"  array     {len(scenario.array)} of {area_m2:g} m2 together"
    yield (
        f"  battery   {battery.series}s{battery.parallel}p, {capacity_wh:.1f} Wh, "
        f"starts at a state of charge of {battery.initial_soc:g}"
    )
    yield f"  stations  {stations}"
    yield f"  models    {models}"
    yield (
        f"  workload  {jobs} jobs, {len(scenario.fault)} faults, "
        f"{len(scenario.requirement)} requirements"
    )


def _orbit(orbit: AnyOrbit) -> str:
    if isinstance(orbit, TleOrbit):
        return f"two-line elements of object {orbit.line1[2:7].strip()}"
    if isinstance(orbit, SsoOrbit):
        return f"Sun-synchronous at {orbit.altitude_km:g} km, ascending node at {orbit.ltan_h:g} h"
    if isinstance(orbit, KeplerianOrbit):
        return f"Keplerian at {orbit.altitude_km:g} km, inclination {orbit.inclination_deg:g} deg"
    return f"orbit mean-elements message of {read_message(orbit.message).object_name}"
