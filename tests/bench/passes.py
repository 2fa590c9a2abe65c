"""How much of what a pass could carry the node's protocol delivers.

Payload bytes confirmed end to end over the integral of the link budget's rate from the modem's
lock to LOS: framing, connecting, greetings and the goodbye before LOS all count against it.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from figures import Figure
from subjects import write_installation

from groundlink.client import GroundClient
from groundlink.demo.processes import Crew, free_ports, listens
from groundlink.window import Schedule, Window
from node.clock import write_anchor
from node.config.load import load_scenario
from node.config.scenario import Scenario, Workload
from node.simulation.mission import Mission

_RESULT_BYTES = 8_000_000
_UPLINK_BYTES = 12_000_000
_RATE_BPS = 2_000_000
_PASS_S = 20.0
_LEAD_S = 14.0
_START_LIMIT_S = 30.0
_MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def _with_results(scenario: Scenario, result_bytes: int) -> Scenario:
    """The scenario with a quick model that makes results of this size."""
    model = msgspec.structs.replace(
        scenario.model[0], duration_s=0.1, max_duration_s=10.0, result_bytes=result_bytes
    )
    return msgspec.structs.replace(scenario, model=[model])


def simulated(scenario_path: Path) -> tuple[Figure, dict[str, object]]:
    """Fill the last pass of the scenario with results, in virtual time."""
    scenario = _with_results(load_scenario(scenario_path), _RESULT_BYTES)
    load = Workload(
        model=scenario.model[0].name, count=100, first_s=0.0, every_s=1.0, input_bytes=1000
    )
    scenario = msgspec.structs.replace(scenario, workload=[load])
    result = asyncio.run(Mission(scenario, digest=False).fly())
    *_, window = Schedule.from_scenario(scenario).windows(0.0, scenario.mission.duration_s)
    before = [shot for shot in result.snapshots if shot.mission_s < window.aos_s][-1]
    after = result.snapshots[-1]
    delivered = after.link.payload_down_bytes - before.link.payload_down_bytes
    could = window.downlink_bps.integral(window.open_s, window.los_s) / 8.0
    assert before.link.downlink_queue_bytes > could, "the pass was not filled"
    figure = Figure(
        "pass use, downlink, simulated", delivered / could, "ratio",
        note=f"{delivered / 1e6:.1f} of {could / 1e6:.1f} MB, pass of "
        f"{window.los_s - window.open_s:.0f} s over {window.station}",
    )  # fmt: skip
    return figure, {"delivered_bytes": delivered, "could_bytes": could}


def _short_pass(text: str) -> tuple[str, Window]:
    """Raise the elevation mask until the first pass is short; hold the rate at its ceiling."""
    text = re.sub(r"max_rate_bps = [\d_]+", f"max_rate_bps = {_RATE_BPS}", text)
    # Bandwidth and power to spare, so that the ceiling is the rate throughout.
    text = re.sub(r"bandwidth_hz = [\d_]+", "bandwidth_hz = 4_000_000", text)
    text = re.sub(r"eirp_dbw = [\d_]+", "eirp_dbw = 50", text)
    text = re.sub(r"receiver_g_over_t_db_per_k = -?[\d_]+", "receiver_g_over_t_db_per_k = 8", text)
    text = re.sub(r"acquisition_s = [\d_]+", "acquisition_s = 1", text)
    text = re.sub(r"stop_before_los_s = [\d_]+", "stop_before_los_s = 1", text)
    text = re.sub(r"boot_s = [\d_]+", "boot_s = 1", text)
    text = re.sub(r"result_bytes = [\d_]+", f"result_bytes = {_RESULT_BYTES}", text)
    text = re.sub(r"(\[\[model\]\][^\[]*?)\nduration_s = [\d.]+", r"\1\nduration_s = 0.1", text)
    low, high = 5.0, 89.0
    with TemporaryDirectory() as folder:
        path = Path(folder) / "scenario.toml"
        while True:
            mask = 0.5 * (low + high)
            tried = re.sub(r"min_elevation_deg = [\d.]+", f"min_elevation_deg = {mask:.6f}", text)
            path.write_text(tried)
            windows = Schedule.from_scenario(load_scenario(path)).windows(0.0, 7200.0)
            first = next(windows, None)
            if first is None or first.los_s - first.open_s < _PASS_S:
                high = mask
            elif first.los_s - first.open_s > _PASS_S + 5.0:
                low = mask
            else:
                return tried, first


def _json(port: int) -> dict[str, dict[str, dict[str, int]]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5.0) as answer:
        status: dict[str, dict[str, dict[str, int]]] = json.load(answer)
    return status


def live(scenario_path: Path, uplink_bytes: int) -> tuple[dict[str, tuple[float, str]], Window]:
    """Fill one short pass in real time, through Mosquitto and the relay.

    Return what came through by direction: its part of what the pass could carry, and in words.
    """
    assert _MOSQUITTO is not None, "Mosquitto is not installed"
    text, window = _short_pass(scenario_path.read_text())
    with TemporaryDirectory() as name:
        folder = Path(name)
        scenario = folder / "scenario.toml"
        scenario.write_text(text)
        broker, relay, ground, http = free_ports(4)
        anchor = folder / "clock.json"
        installation = write_installation(
            folder, None, scenario, clock_anchor=str(anchor), broker_port=relay, http_port=http
        )
        (folder / "mosquitto.conf").write_text(
            f"listener {broker} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        )
        with closing(Crew(folder)) as crew:
            crew.start("broker", [_MOSQUITTO, "-c", str(folder / "mosquitto.conf")])
            crew.wait_until("broker", lambda: listens(broker), _START_LIMIT_S)
            zero_s = time.monotonic() + _LEAD_S - window.open_s
            write_anchor(anchor, 1.0, zero_s)
            shared = [
                *("--scenario", str(scenario), "--broker", f"127.0.0.1:{broker}"),
                *("--anchor", str(anchor)),
            ]
            commands: dict[str, Sequence[str]] = {
                "ground": ("groundlink", "ground", *shared, "--state", str(folder / "ground"),
                           "--http", f"127.0.0.1:{ground}"),
                "relay": ("groundlink", "relay", *shared, "--node", "bench",
                          "--listen", f"127.0.0.1:{relay}"),
                "node": ("node", "run", "--config", str(installation)),
            }  # fmt: skip
            for process, arguments in commands.items():
                crew.start(process, [sys.executable, "-m", *arguments])
            for process, port in (("ground", ground), ("relay", relay), ("node", http)):
                crew.wait_until(process, lambda port=port: listens(port), _START_LIMIT_S)  # type: ignore[misc]  # mypy cannot infer it
            assert time.monotonic() - zero_s < window.open_s, "the daemons were not ready in time"
            client = GroundClient(f"http://127.0.0.1:{ground}")
            model = load_scenario(scenario).model[0].name
            # The small input makes a large result; the large input keeps the uplink busy.
            client.submit(bytes(1000), model=model, node="bench", job_id="small", priority="urgent")
            client.submit(bytes(uplink_bytes), model=model, node="bench", job_id="large")
            time.sleep(max(0.0, zero_s + window.los_s + 1.0 - time.monotonic()))
            crew.check()
            link = _json(http)["snapshot"]["link"]
    found = {}
    for way, profile in (("up", window.uplink_bps), ("down", window.downlink_bps)):
        passed = link[f"payload_{way}_bytes"]
        could = profile.integral(window.open_s, window.los_s) / 8.0
        found[way] = (passed / could, f"{passed / 1e6:.2f} of {could / 1e6:.2f} MB")
    return found, window


def measure(scenario_path: Path, *, quick: bool) -> tuple[list[Figure], dict[str, object]]:
    """Measure a simulated pass and, where time allows and Mosquitto is there, real ones."""
    figure, details = simulated(scenario_path)
    if quick or _MOSQUITTO is None:
        return [figure], {"simulated": details}
    alone, window = live(scenario_path, 1000)
    both, _ = live(scenario_path, _UPLINK_BYTES)
    what = f"pass of {window.los_s - window.open_s:.0f} s at {_RATE_BPS / 1e6:g} Mbit/s"
    figures = [figure]
    for name, (ratio, words) in (
        ("pass use, real, downlink alone", alone["down"]),
        ("pass use, real, downlink of both", both["down"]),
        ("pass use, real, uplink of both", both["up"]),
    ):
        figures.append(Figure(name, ratio, "ratio", note=f"{words}, {what}"))
    return figures, {"simulated": details, "alone": alone, "both": both}
