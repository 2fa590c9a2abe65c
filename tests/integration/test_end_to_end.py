"""The whole system as separate processes: power loss, broken budgets, bad input."""

from __future__ import annotations

import io
import re
import urllib.request
from pathlib import Path

import aiomqtt
import numpy as np
from model_factory import slow_loop, slow_single_node, tiny_cnn
from rig import NODE, Rig, always_in_contact, image, scenario, with_model

BUDGET_S = 0.3
STOPS = 10


def mode_changes(rig: Rig) -> list[str]:
    """Every change of the operating mode, in order, by the node's log."""
    return re.findall(r"event=mode severity=\w+ (\w+ to \w+)", rig.log("node"))


def metric(rig: Rig, pattern: str) -> float:
    """Read one sample from the node's metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{rig.ports['node']}/metrics") as answer:
        text = answer.read().decode()
    found = re.search(pattern + r" ([0-9.e+-]+)$", text, re.MULTILINE)
    assert found, pattern
    return float(found.group(1))


def test_a_battery_too_small_takes_the_node_down_and_nothing_is_lost(tmp_path: Path) -> None:
    flown = with_model(always_in_contact(scenario("brownout")), "tiny", 0.05, 30.0)
    with Rig(tmp_path, flown, lambda models: tiny_cnn(models, "tiny"), rate=250.0) as rig:
        jobs = [f"before-{number}" for number in range(6)]
        for number, job_id in enumerate(jobs):
            rig.ground.submit(image(number), node=NODE, model="tiny", job_id=job_id)
        rig.wait_until(lambda: "delivered" in rig.states().values(), 40.0)
        rig.wait_until(lambda: rig.status().snapshot.mode.value == "off", 60.0)
        # A real power loss: the worker is dead by SIGKILL, the socket gone without a goodbye.
        rig.wait_until(lambda: rig.worker_pid() is None, 2.0)
        assert "event=gone status=-9" in rig.log("node")
        rig.wait_until(
            lambda: f"Client orbitnode-{NODE} closed its connection" in rig.log("broker"), 2.0
        )
        assert f"Client orbitnode-{NODE} disconnected" not in rig.log("broker").splitlines()[-1]
        assert not rig.status().snapshot.link.up
        for number in range(6):
            job_id = f"after-{number}"
            rig.ground.submit(image(10 + number), node=NODE, model="tiny", job_id=job_id)
            jobs.append(job_id)
        rig.wait_until(lambda: set(rig.states().values()) == {"delivered"}, 60.0)
        assert {job.job_id: job.deliveries for job in rig.ground.jobs()} == dict.fromkeys(jobs, 1)
        changes = mode_changes(rig)
        fall = ["nominal to reduced", "reduced to safe", "safe to off", "off to boot"]
        first = changes.index(fall[0])
        assert changes[first : first + 4] == fall
        assert rig.status().snapshot.boots >= 2


def test_a_run_over_its_budget_is_stopped_and_the_stop_is_exported(tmp_path: Path) -> None:
    def write(models: Path) -> None:
        slow_loop(models, "heeds", seconds=60.0)
        slow_single_node(models, "heedless", boxes=600_000)

    flown = with_model(always_in_contact(scenario("demo")), "heeds", BUDGET_S, BUDGET_S)
    (heeds,) = flown.model
    flown.model.append(type(heeds)("heedless", BUDGET_S, BUDGET_S, 1000))
    figure = io.BytesIO()
    np.savez(figure, x=np.ones((1, 1), np.float32))
    with Rig(tmp_path, flown, write, rate=10.0) as rig:
        for number in range(STOPS):
            for model in ("heeds", "heedless"):
                rig.ground.submit(
                    figure.getvalue(), node=NODE, model=model, job_id=f"{model}-{number}"
                )
        rig.wait_until(lambda: set(rig.states().values()) == {"failed"}, 90.0)
        assert {job.reason for job in rig.ground.jobs()} == {"budget"}
        name = "orbitnode_inference_stop_latency_seconds"
        assert metric(rig, rf'{name}_count{{node_id="{NODE}"}}') == 2 * STOPS
        # All of them within a second, so the 99th percentile is as well.
        assert metric(rig, rf'{name}_bucket{{le="1.0",node_id="{NODE}"}}') == 2 * STOPS
        ticks = "orbitnode_tick_duration_seconds"
        assert metric(rig, rf'{ticks}_count{{node_id="{NODE}"}}') > 0


async def test_bad_input_is_answered_clearly_and_the_node_lives(tmp_path: Path) -> None:
    flown = with_model(always_in_contact(scenario("demo")), "tiny", 0.05, 30.0)
    wrong = io.BytesIO()
    np.savez(wrong, bands=np.ones((1, 48, 48, 3), np.uint16))
    with Rig(tmp_path, flown, lambda models: tiny_cnn(models, "tiny"), rate=20.0) as rig:
        rig.ground.submit(wrong.getvalue(), node=NODE, model="tiny", job_id="wrong-shape")
        rig.ground.submit(b"no archive at all", node=NODE, model="tiny", job_id="no-npz")
        rig.ground.submit(image(1), node=NODE, model="other", job_id="unknown-model")
        async with aiomqtt.Client("127.0.0.1", rig.ports["broker"]) as client:
            for payload in (b"", b"{", b"\xc1", b'{"type":"hello"}', b"x" * 400_000):
                for topic in (f"orbitnode/v1/{NODE}/tc/xfer", f"orbitnode/v1/{NODE}/tm/xfer"):
                    await client.publish(topic, payload, qos=1)
        rig.ground.submit(image(2), node=NODE, model="tiny", job_id="good")
        rig.wait_until(lambda: rig.states().get("good") == "delivered", 30.0)
        rig.wait_until(lambda: rig.states().get("no-npz") == "failed", 30.0)
        found = {job.job_id: (job.state, job.reason) for job in rig.ground.jobs()}
        assert found["wrong-shape"][0] == "failed"
        assert "shape" in found["wrong-shape"][1]
        assert found["unknown-model"] == ("rejected", "unknown-model")
        assert all(rig.processes[name].poll() is None for name in rig.processes)
