"""The whole system as the separate processes that it is in real life, small and quick."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import psutil

from groundlink.client import GroundClient
from groundlink.demo.launch import broker_command
from groundlink.demo.processes import free_ports, listens
from groundlink.demo.services import NodeStatus, node_status
from node.clock import write_anchor
from node.config.effective import effective
from node.config.installation import (
    BoardChoice,
    Broker,
    Clock,
    HttpServer,
    Inference,
    Installation,
    StoreLimits,
)
from node.config.load import load_scenario
from node.config.scenario import (
    GroundStation,
    KeplerianOrbit,
    ModelFigures,
    Scenario,
)
from node.errors import LinkError, OrbitnodeError

REPOSITORY = Path(__file__).parents[2]
NODE = "sat-1"
PROCESSES = ("broker", "relay", "ground", "node")
_replace = msgspec.structs.replace


def scenario(name: str) -> Scenario:
    """Load one of the scenarios that ship."""
    return load_scenario(REPOSITORY / "scenarios" / f"{name}.toml")


def with_model(given: Scenario, model: str, duration_s: float, max_duration_s: float) -> Scenario:
    """Fly another model."""
    figures = ModelFigures(model, duration_s, max_duration_s, 1000)
    return _replace(given, model=[figures], workload=[])


def always_in_contact(given: Scenario) -> Scenario:
    """Fly so high over so many equatorial stations that one is always in sight."""
    orbit = KeplerianOrbit(5500.0, 0.0005, 0.5, 0.0, 0.0, 0.0)
    stations = [
        GroundStation(f"equator-{degrees}", 0.0, float(degrees), 0.0, 5.0, 0.03)
        for degrees in range(-180, 180, 60)
    ]
    radio = _replace(
        given.radio,
        uplink=_replace(given.radio.uplink, eirp_dbw=given.radio.uplink.eirp_dbw + 30.0),
        downlink=_replace(given.radio.downlink, eirp_dbw=given.radio.downlink.eirp_dbw + 30.0),
        acquisition_s=1.0,
        stop_before_los_s=1.0,
    )
    modes = _replace(given.modes, boot_s=1.0)
    return _replace(
        given, orbit=orbit, ground_station=stations, radio=radio, modes=modes, attitude="sun"
    )


class Rig:
    """Broker, relay, ground and node in one folder; each can be killed and started again."""

    def __init__(
        self, folder: Path, flown: Scenario, write_model: Callable[[Path], object], rate: float
    ) -> None:
        self.folder = folder
        self.rate = rate
        self.ports = dict(zip(("broker", "relay", "ground", "node"), free_ports(4), strict=True))
        (folder / "scenario.toml").write_text(effective(flown), encoding="utf-8")
        (folder / "models").mkdir()
        write_model(folder / "models")
        installation = Installation(
            schema=1,
            node=NODE,
            scenario="scenario.toml",
            board=BoardChoice("generic"),
            clock=Clock(mode="scaled", rate=rate, anchor="clock.json"),
            broker=Broker(port=self.ports["relay"]),
            inference=Inference(models="models", threads=1),
            store=StoreLimits(path="node"),
            http=HttpServer(port=self.ports["node"]),
        )
        (folder / "node.toml").write_text(effective(installation), encoding="utf-8")
        self.ground = GroundClient(f"http://127.0.0.1:{self.ports['ground']}")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Rig:  # noqa: PYI034 - Self is not there on 3.10
        write_anchor(self.folder / "clock.json", self.rate, time.monotonic() + 3.0)
        for name in PROCESSES:
            self.start(name)
        for name in PROCESSES:
            self.wait_ready(name)
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(PROCESSES):
            process = self.processes[name]
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def start(self, name: str) -> None:
        """Start one of the processes."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self._command(name),
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """SIGKILL one of the processes, or the node's worker."""
        if name == "worker":
            pid = self.worker_pid()
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
            return
        self.processes[name].kill()
        self.processes[name].wait()

    def worker_pid(self) -> int | None:
        """Process id of the node's worker, if it lives."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.processes["node"].pid).children():
                if "node.inference.worker" in " ".join(child.cmdline()):
                    return child.pid
        return None

    def wait_ready(self, name: str, limit_s: float = 60.0) -> None:
        """Wait until a process serves."""
        end_s = time.monotonic() + limit_s
        while not self._is_ready(name):
            if self.processes[name].poll() is not None or time.monotonic() > end_s:
                raise AssertionError(f"{name} is not ready:\n{self.log(name)[-4000:]}")
            time.sleep(0.05)

    def wait_until(self, condition: Callable[[], bool], limit_s: float) -> None:
        """Wait for something to come true; show every log if it does not."""
        end_s = time.monotonic() + limit_s
        while True:
            with contextlib.suppress(OrbitnodeError):
                if condition():
                    return
            if time.monotonic() > end_s:
                logs = "\n".join(f"== {name}\n{self.log(name)[-3000:]}" for name in PROCESSES)
                raise AssertionError(f"did not come true in {limit_s} s\n{logs}")
            time.sleep(0.1)

    def status(self) -> NodeStatus:
        """Ask the node for its state."""
        return node_status(self.ports["node"])

    def states(self) -> dict[str, str]:
        """State of every job by the ground's ledger."""
        return {job.job_id: job.state for job in self.ground.jobs()}

    def log(self, name: str) -> str:
        """Everything that a process said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _is_ready(self, name: str) -> bool:
        try:
            if name == "ground":
                self.ground.jobs()
                return True
            if name == "node":
                self.status()
                return True
            return listens(self.ports[name])
        except LinkError:
            return False

    def _command(self, name: str) -> list[str]:
        local = {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}
        shared = [
            *("--scenario", str(self.folder / "scenario.toml"), "--broker", local["broker"]),
            *("--anchor", str(self.folder / "clock.json"), "--rate", str(self.rate)),
        ]
        python = [sys.executable, "-m"]
        if name == "broker":
            return broker_command(self.folder, self.ports["broker"])
        if name == "relay":
            listen = ("--node", NODE, "--listen", local["relay"])
            return [*python, "groundlink", "relay", *shared, *listen]
        if name == "ground":
            state = ("--state", str(self.folder / "ground"), "--http", local["ground"])
            return [*python, "groundlink", "ground", *shared, *state]
        return [*python, "node", "run", "--config", str(self.folder / "node.toml")]


def image(seed: int, side: int = 48) -> bytes:
    """Make an input for ``model_factory.tiny_cnn``."""
    file = io.BytesIO()
    bands = np.random.default_rng(seed).integers(0, 10_000, (1, side, side, 4), dtype=np.uint16)
    np.savez_compressed(file, bands=bands)
    return file.getvalue()
