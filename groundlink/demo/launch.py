"""Starts the four processes of a run and waits for mission time zero."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from groundlink.client import GroundClient
from groundlink.demo.prepare import NODE_NAME, Ports, Prepared
from groundlink.demo.processes import Crew, listens
from groundlink.demo.services import node_status
from node.clock import MissionClock, epoch_utc_s, write_anchor
from node.errors import LinkError

READY_LIMIT_S = 90.0
_POLL_WALL_S = 0.1
_MOSQUITTO_FOLDERS = "/usr/sbin:/usr/local/sbin"
"""Debian keeps it where only root's PATH looks."""

Show = Callable[[float, Mapping[str, bool]], None]
"""Takes mission time and which processes are ready."""


def launch(crew: Crew, prepared: Prepared, show: Show) -> MissionClock:
    """Start broker, ground, relay and node; return at mission time zero with the shared clock.

    Raises:
        ProcessError: one of them ended or did not come up.
    """
    options, folder, ports = prepared.options, prepared.folder, prepared.ports
    crew.start("broker", broker_command(folder.root, ports.broker))
    crew.wait_until("broker", lambda: listens(ports.broker), READY_LIMIT_S)
    write_anchor(folder.anchor, options.rate, time.monotonic() + options.lead_s)
    epoch_s = epoch_utc_s(prepared.scenario.mission.epoch)
    clock = MissionClock.from_anchor(folder.anchor, options.rate, epoch_s)
    for name, arguments in _commands(prepared).items():
        crew.start(name, [sys.executable, "-m", *arguments])
    checks: dict[str, Callable[[], object]] = {
        "ground": GroundClient(ground_url(ports)).jobs,
        "relay": lambda: _must_listen(ports.relay),
        "node": lambda: node_status(ports.node),
    }
    ready = {"broker": True, **dict.fromkeys(checks, False)}

    def is_ready(name: str) -> bool:
        with suppress(LinkError):
            checks[name]()
            ready[name] = True
        show(clock.now(), ready)
        return ready[name]

    for name in checks:
        crew.wait_until(name, partial(is_ready, name), READY_LIMIT_S)
    while clock.now() < 0:
        crew.check()
        show(clock.now(), ready)
        time.sleep(min(_POLL_WALL_S, clock.wall_delay(0.0)))
    return clock


def broker_command(folder: Path, port: int) -> list[str]:
    """Return Mosquitto's command where it is installed, the embedded broker's elsewhere."""
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path=_MOSQUITTO_FOLDERS)
    if mosquitto is None:
        return [sys.executable, "-m", "groundlink", "broker", "--listen", f"127.0.0.1:{port}"]
    configuration = folder / "mosquitto.conf"
    configuration.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n", encoding="utf-8"
    )
    return [mosquitto, "-c", str(configuration)]


def _commands(prepared: Prepared) -> dict[str, list[str]]:
    """Modules and arguments, in the order of starting; they end in the reverse order."""
    folder, ports = prepared.folder, prepared.ports
    shared = [
        *("--scenario", str(folder.scenario), "--broker", f"127.0.0.1:{ports.broker}"),
        *("--anchor", str(folder.anchor), "--rate", str(prepared.options.rate)),
    ]
    state = str(folder.ground_state)
    web, radio = f"127.0.0.1:{ports.ground}", f"127.0.0.1:{ports.relay}"
    return {
        "ground": ["groundlink", "ground", *shared, "--state", state, "--http", web],
        "relay": ["groundlink", "relay", *shared, "--node", NODE_NAME, "--listen", radio],
        "node": ["node", "run", "--config", str(folder.installation)],
    }


def ground_url(ports: Ports) -> str:
    """Return the address of the run's ground daemon."""
    return f"http://127.0.0.1:{ports.ground}"


def _must_listen(port: int) -> None:
    if not listens(port):
        raise LinkError(f"nothing listens on port {port}")
