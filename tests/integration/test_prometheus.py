"""A real Prometheus scrapes a real server, and every query of every dashboard returns data."""

from __future__ import annotations

import asyncio
import json
import math
import re
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from synthetic_node import MODELS, STATIONS, snapshot_at

from node.board.health import ReaderHealth
from node.http import HttpServer
from node.metrics import NodeMetrics, metrics_routes

GRAFANA = Path(__file__).parents[2] / "grafana"
SCRAPED_S = 11
VARIABLES = {
    "$job": ".+",
    "$node": "oen-01",
    "$__rate_interval": "8s",
    "$__range": "8s",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def promtool(*arguments: str, given: bytes = b"") -> None:
    done = subprocess.run(
        ["promtool", *arguments], input=given, capture_output=True, check=False, timeout=30
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def advance(metrics: NodeMetrics, step: int) -> None:
    metrics.snapshot = snapshot_at(step)
    metrics.observe_tick(0.0004)
    metrics.observe_sensors([ReaderHealth("cpu", True, 0.001)])
    metrics.observe_inference(MODELS[step % 2], "ok", 0.02 * (1 + step % 5), 1.5)
    if step % 4 == 0:
        metrics.observe_inference(MODELS[0], "aborted", 1.0, 2.0)
        metrics.observe_stop(0.05)


async def run_node(metrics: NodeMetrics, stop: asyncio.Event) -> None:
    step = 0
    while not stop.is_set():
        step += 1
        advance(metrics, step)
        await asyncio.sleep(0.2)


def ask(port: int, path: str, **parameters: str) -> Any:
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}?{query}", timeout=5) as got:
        answer = json.load(got)
    assert answer["status"] == "success", answer
    return answer["data"]


def figures(data: Any) -> list[float]:
    found: list[float] = []
    for series in data["result"]:
        found += [float(text) for _, text in series.get("values") or [series["value"]]]
    return [figure for figure in found if not math.isnan(figure)]


def filled_in(text: str) -> str:
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    return text


@asynccontextmanager
async def prometheus(folder: Path, node_port: int) -> AsyncIterator[int]:
    """Run Prometheus with the shipped configuration, but faster and at this node."""
    text = (GRAFANA / "prometheus/prometheus.yml").read_text()
    text = re.sub(r"(scrape|evaluation)_interval: \w+", r"\1_interval: 1s", text)
    (folder / "prometheus.yml").write_text(text.replace("127.0.0.1:9464", f"127.0.0.1:{node_port}"))
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            stdout=log,
            stderr=log,
        )
        try:
            yield port
        finally:
            process.terminate()
            await process.wait()


async def until_scraped(port: int) -> None:
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        try:
            data = await asyncio.to_thread(ask, port, "query", query="up == 1")
            if figures(data):
                return
        except OSError:
            pass
        await asyncio.sleep(0.2)
    pytest.fail("Prometheus did not scrape the node within 10 s")


def check_dashboard(port: int, dashboard: Any) -> list[str]:
    """Run every query as Grafana would; return what gave an error or nothing."""
    # A scalar: instant and value.
    now_s = float(ask(port, "query", query="time()")["result"][1])
    bad: list[str] = []
    queries = [
        (panel["title"], query["expr"], query["instant"])
        for panel in dashboard["panels"]
        for query in panel.get("targets", ())
    ]
    queries += [(note["name"], note["expr"], False) for note in dashboard["annotations"]["list"]]
    for title, expression, instant in queries:
        if instant:
            data = ask(port, "query", query=filled_in(expression))
        else:
            data = ask(
                port,
                "query_range",
                query=filled_in(expression),
                start=str(now_s - 6),
                end=str(now_s),
                step="1",
            )
        if not figures(data):
            bad.append(f"{title}: {expression}")
    for entry in dashboard["templating"]["list"]:
        if entry["type"] == "query":
            match = re.fullmatch(r"label_values\((.+), (\w+)\)", entry["definition"])
            assert match is not None
            values = ask(port, f"label/{match[2]}/values", **{"match[]": filled_in(match[1])})
            if not values:
                bad.append(f"variable {entry['name']}")
    return bad


async def test_every_panel_has_data(tmp_path: Path) -> None:
    metrics = NodeMetrics("oen-01", MODELS, STATIONS)
    advance(metrics, 0)
    server = HttpServer(metrics_routes(metrics, lambda: b"{}", lambda: True))
    stop = asyncio.Event()
    node_port = await server.start()
    running = asyncio.ensure_future(run_node(metrics, stop))
    try:
        async with prometheus(tmp_path, node_port) as port:
            await until_scraped(port)
            await asyncio.sleep(SCRAPED_S)
            bad: list[str] = []
            for path in sorted((GRAFANA / "dashboards").glob("*.json")):
                bad += await asyncio.to_thread(check_dashboard, port, json.loads(path.read_text()))
            assert bad == []
            nothing = await asyncio.to_thread(ask, port, "query", query="orbitnode_no_such_metric")
            assert figures(nothing) == []
            # Each scrape is of one step: solar power and load differ by one watt in all of them.
            torn = await asyncio.to_thread(
                ask,
                port,
                "query",
                query="max_over_time(abs(orbitnode_load_power_watts"
                " - orbitnode_solar_power_watts - 1)[10s:1s])",
            )
            assert figures(torn) == [0.0]
    finally:
        stop.set()
        await running
        await server.close()


def test_metrics_pass_promtool() -> None:
    metrics = NodeMetrics("oen-01", MODELS, STATIONS, config_sha256="ab" * 32)
    advance(metrics, 4)
    promtool("check", "metrics", given=metrics.render())


def test_configuration_passes_promtool() -> None:
    promtool("check", "config", str(GRAFANA / "prometheus/prometheus.yml"))
