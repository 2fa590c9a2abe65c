from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import fake_services
import model_factory
import msgspec
import numpy as np
import pytest
from onnx import TensorProto, helper

from groundlink.cli import main
from groundlink.commands import demo as command
from groundlink.demo import launch
from groundlink.demo.launcher import run_demo
from groundlink.demo.prepare import DemoOptions, Prepared
from node.errors import AssetError, ConfigError, GroundError, ProcessError
from node.report.run import MaskCheck, RunEvent, Summary, load_run

REPOSITORY = Path(__file__).parents[2]
REQUIREMENTS = """
[[requirement]]
metric = "masks_equal_ratio"
operator = "=="
value = 1
[[requirement]]
metric = "jobs_delivered_ratio"
operator = "=="
value = 1
[[requirement]]
metric = "min_state_of_charge"
operator = ">="
value = {charge}
"""


class Recorder:
    """An output that keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.events: list[RunEvent] = []
        self.frames = 0
        self.summary: Summary | None = None
        self.closed = False

    def say(self, text: str) -> None:
        self.said.append(text)

    def event(self, event: RunEvent) -> None:
        self.events.append(event)

    def frame(self, _picture: Any) -> None:
        self.frames += 1

    def verdict(self, summary: Summary) -> None:
        self.summary = summary

    def close(self) -> None:
        self.closed = True


def write_scenario(path: Path, charge: float = 0.3) -> Path:
    text = (REPOSITORY / "scenarios" / "demo.toml").read_text()
    text = text.replace("duration_s = 5800", "duration_s = 1200")
    path.write_text(text.partition("[[requirement]]")[0] + REQUIREMENTS.format(charge=charge))
    return path


def write_model(parent: Path) -> Path:
    """A network that gives its input back, under the name that the scenario flies."""
    shape = ["n", 256, 256, 4]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "dlr-cloud-unet",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    return model_factory.write_folder(
        parent,
        graph,
        {"name": "x", "dtype": "uint16", "shape": [-1, 256, 256, 4]},
        {"name": "y", "dtype": "uint8", "reduction": "argmax"},
    )


@pytest.fixture
def options(tmp_path: Path) -> DemoOptions:
    scene = np.random.default_rng(1).integers(0, 9000, (300, 300, 4), dtype=np.uint16)
    np.save(tmp_path / "scene.npy", scene)
    return DemoOptions(
        scenario=write_scenario(tmp_path / "short.toml"),
        rate=600.0,
        model=write_model(tmp_path / "own"),
        scene=tmp_path / "scene.npy",
        name="test",
        runs=tmp_path / "runs",
        cache=tmp_path / "cache",
        lead_s=1.0,
    )


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real broker, and stand-ins for the daemons."""

    def commands(prepared: Prepared) -> dict[str, list[str]]:
        ports = prepared.ports
        anchor = str(prepared.folder.anchor)
        return {
            name: ["fake_services", name, str(getattr(ports, name)), anchor]
            for name in ("ground", "relay", "node")
        }

    monkeypatch.setattr(launch, "_commands", commands)
    support = Path(fake_services.__file__).parent
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(support), str(REPOSITORY)]))


def changed(options: DemoOptions, **changes: Any) -> DemoOptions:
    values = {name: getattr(options, name) for name in options.__dataclass_fields__}
    return DemoOptions(**{**values, **changes})


def test_a_mission_is_flown_judged_and_reported(options: DemoOptions) -> None:
    output = Recorder()
    summary = run_demo(options, output)
    assert summary.passed
    assert summary.completed
    assert summary.masks == MaskCheck(9, 0, 0)
    assert [verdict.metric for verdict in summary.verdicts] == [
        "masks_equal_ratio",
        "jobs_delivered_ratio",
        "min_state_of_charge",
    ]
    assert {job.state for job in summary.jobs} == {"delivered"}
    assert all(job.equal for job in summary.jobs)
    assert {job.energy_j for job in summary.jobs} == {1.5}
    assert {job.deliveries for job in summary.jobs} == {1}
    assert output.summary == summary
    assert output.closed
    assert output.frames > 3
    codes = [event.code for event in output.events]
    assert codes[:2] == ["start", "submit"]
    assert codes.count("job-delivered") == 9
    root = options.runs / "test"
    run = load_run(root)
    assert run.summary == summary
    assert run.events == output.events
    times = [snapshot.mission_s for snapshot in run.snapshots]
    assert times == sorted(set(times))
    assert times[-1] > 1100
    assert sorted(p.name for p in root.iterdir()) == [
        *("clock.json", "events.jsonl", "logs", "models", "mosquitto.conf", "node.toml"),
        *("report.html", "results", "scenario.toml", "summary.json", "telemetry.jsonl", "tiles"),
    ]
    names = sorted(f"{job.job_id}.npz" for job in summary.jobs)
    assert sorted(p.name for p in (root / "results").iterdir()) == names
    assert sorted(p.name for p in (root / "tiles").iterdir()) == names


def test_a_requirement_that_is_not_met_fails_the_run(options: DemoOptions, tmp_path: Path) -> None:
    strict = write_scenario(tmp_path / "strict.toml", charge=0.999)
    summary = run_demo(changed(options, scenario=strict), Recorder())
    assert summary.completed
    assert not summary.passed
    assert [verdict.passed for verdict in summary.verdicts] == [True, True, False]


def test_a_simulated_executor_is_not_judged_by_its_results(options: DemoOptions) -> None:
    summary = run_demo(changed(options, executor="simulated", model=None), Recorder())
    assert summary.passed
    assert summary.masks is None
    assert summary.not_evaluated == ["masks_equal_ratio == 1: the executor is simulated"]
    assert list((options.runs / "test" / "models").iterdir()) == []


@pytest.mark.parametrize("name", ["node", "ground", "relay"])
def test_a_process_that_dies_ends_the_run(
    options: DemoOptions, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("FAKE_DIES", name)
    output = Recorder()
    with pytest.raises(ProcessError, match="something broke") as caught:
        run_demo(options, output)
    assert f"{name} ended with exit status 3" in str(caught.value)
    run = load_run(options.runs / "test")
    assert not run.summary.completed
    assert not run.summary.passed
    assert (options.runs / "test" / "report.html").is_file()
    assert output.closed


def test_a_refused_job_ends_the_run(options: DemoOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GROUND_REFUSES", "1")
    with pytest.raises(GroundError, match="no room"):
        run_demo(options, Recorder())


def test_ctrl_c_ends_every_process_and_leaves_a_report(
    options: DemoOptions, tmp_path: Path
) -> None:
    class Interrupter(Recorder):
        def event(self, event: RunEvent) -> None:
            super().event(event)
            if event.code == "submit":
                threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        run_demo(options, Interrupter())
    run = load_run(options.runs / "test")
    assert not run.summary.completed
    assert len(run.summary.jobs) == 9
    left = [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if str(tmp_path).encode() in _command_line(path)
    ]
    assert left == []


def _command_line(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended between the two
        return b""


def test_a_run_folder_is_never_used_twice(options: DemoOptions) -> None:
    (options.runs / "test").mkdir(parents=True)
    with pytest.raises(ConfigError, match="is there already"):
        run_demo(options, Recorder())


def test_nothing_is_left_of_a_run_that_cannot_start(options: DemoOptions) -> None:
    with pytest.raises(AssetError, match=r"missing\.npy"):
        run_demo(changed(options, scene=Path("missing.npy")), Recorder())
    assert not options.runs.exists()


def groundlink(options: DemoOptions, *more: str) -> int:
    return main(
        [
            *("demo", "--scenario", str(options.scenario), "--scene", str(options.scene)),
            *("--model", str(options.model), "--runs", str(options.runs), "--rate", "600"),
            *("--name", "test", "--lead", "0.5", *more),
        ]
    )


def test_the_exit_status_is_the_verdict(
    options: DemoOptions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert groundlink(options, "--json") == 0
    lines = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["type"] for line in lines} == {"note", "event", "summary"}
    write_scenario(tmp_path / "short.toml", charge=0.999)
    assert groundlink(options, "--headless", "--name", "second") == 1
    assert "FAIL" in capsys.readouterr().out


def test_a_wrong_scenario_exits_78(
    options: DemoOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    options.scenario.write_text(options.scenario.read_text().replace("seed = 1", "sed = 1"))
    assert groundlink(options) == 78
    assert "sed" in capsys.readouterr().err


def test_a_dead_process_exits_1_and_ctrl_c_130(
    options: DemoOptions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAKE_DIES", "node")
    assert groundlink(options) == 1
    assert "something broke" in capsys.readouterr().err

    def interrupted(*_arguments: object) -> Summary:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run_demo", interrupted)
    assert groundlink(options) == 130
