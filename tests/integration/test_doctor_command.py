"""``orbitnode doctor``, as a person calls it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import model_factory
import pytest
from board_tree import copy_board
from mosquitto import mosquitto

from node.clock import write_anchor
from node.config.build import build_spacecraft
from node.config.load import load_scenario
from node.core.almanac import Almanac

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "scenarios" / "demo.toml"
MODEL = "dlr-cloud-unet"
AREAS = {
    "python", "board", "sensors", "power", "enforcement", "providers", "clock",
}  # fmt: skip
INSTALLED = {"models", "broker", "disk", "http"}
Findings = list[dict[str, str]]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "node", "doctor", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )


def of_area(findings: Findings, area: str) -> Findings:
    return [finding for finding in findings if finding["area"] == area]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def installation(tmp_path: Path) -> Callable[..., Path]:
    """Write an installation on which all is well but the broker; ``more`` are lines at its end."""
    model_factory.tiny_cnn(tmp_path / "models", MODEL)

    def write(port: int, *more: str) -> Path:
        path = tmp_path / "node.toml"
        lines = [
            "schema = 1",
            'node = "sat-1"',
            f"scenario = {json.dumps(str(DEMO))}",
            '[board]\nfamily = "generic"\nidle_w = 4\nactive_w = 12',
            f"[broker]\nport = {port}",
            "[http]\nport = 0",
            "[store]\nmax_bytes = 1048576\nmax_object_bytes = 1000",
            *more,
        ]
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def examined(path: Path, status: int) -> Findings:
    done = run(path, "--json")
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stderr == ""
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["schema"] == 1
    assert report["installation"] == str(path)
    findings: Findings = report["findings"]
    assert report["errors"] == sum(each["status"] == "error" for each in findings)
    assert report["warnings"] == sum(each["status"] == "warning" for each in findings)
    for finding in findings:
        assert finding["remedy"] or finding["status"] in {"ok", "note"}, finding
    return findings


@contextlib.contextmanager
def refusing_relay() -> Iterator[int]:
    """Stands for the relay outside a contact: accepts, and resets at once."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def anchor_at(path: Path, mission_s: float) -> None:
    write_anchor(path.parent / "state" / "clock.json", 1.0, time.monotonic() - mission_s)


def test_the_board_alone_needs_no_installation() -> None:
    done = run("--json")
    assert done.returncode in {0, 1}, done.stderr
    report = json.loads(done.stdout)
    assert report["installation"] is None
    assert {finding["area"] for finding in report["findings"]} >= AREAS
    assert not INSTALLED & {finding["area"] for finding in report["findings"]}


@pytest.mark.parametrize(
    ("board", "words"),
    [
        ("jetson-orin-nano", ["jetson, by", "measured:", "scope module", "cpu (2), gpu, emc"]),
        ("raspberry-pi-4", ["raspberry-pi, by", "modelled by powerjoular", "cgroup_enable=memory"]),
        ("generic-x86", ["NUC11TNHi5", "energy counters are readable", "package_power"]),
    ],
)
def test_captured_boards(tmp_path: Path, board: str, words: list[str]) -> None:
    tree = copy_board(board, tmp_path)
    done = run("--root", tree.root)
    assert done.returncode == 0, done.stdout + done.stderr
    for word in words:
        assert word in done.stdout
    assert "no errors" in done.stdout
    assert "\033[" not in done.stdout


def test_all_is_well_and_nothing_is_changed(
    installation: Callable[..., Path], tmp_path: Path
) -> None:
    port = free_port()
    path = installation(port)
    before = sorted(tmp_path.rglob("*"))
    with mosquitto(tmp_path.parent, port):
        findings = examined(path, 0)
    assert sorted(tmp_path.rglob("*")) == before
    assert {finding["area"] for finding in findings} >= AREAS | INSTALLED
    (model,) = of_area(findings, "models")
    assert "hash right, loaded" in model["text"]
    assert "ms on CPUExecutionProvider" in model["text"]
    (broker,) = of_area(findings, "broker")
    assert "answers MQTT CONNECT" in broker["text"]
    assert any("fsync of 4096 bytes" in each["text"] for each in of_area(findings, "disk"))


def test_what_is_broken_is_an_error_with_a_remedy(
    installation: Callable[..., Path], tmp_path: Path
) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    path = installation(free_port())
    text = path.read_text().replace("port = 0", f"port = {taken.getsockname()[1]}")
    path.write_text(text + '[inference]\nproviders = ["CUDAExecutionProvider"]\n')
    model = tmp_path / "models" / MODEL / "model.onnx"
    model.write_bytes(model.read_bytes() + b"\0")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "clock.json").write_text("nonsense")

    findings = examined(path, 1)

    errors = {each["area"]: each["text"] for each in findings if each["status"] == "error"}
    assert errors.keys() == {"providers", "models", "broker", "clock", "http"}
    assert "CUDAExecutionProvider is asked for" in errors["providers"]
    assert "SHA-256 is" in errors["models"]
    assert "cannot be reached by TCP: Connection refused" in errors["broker"]
    assert "not a clock anchor" in errors["clock"]
    assert "Address already in use" in errors["http"]
    taken.close()


def test_a_model_that_flies_and_is_missing(
    installation: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "models" / MODEL).rename(tmp_path / "models" / "another")
    findings = examined(installation(free_port()), 1)
    missing, misnamed = of_area(findings, "models")
    assert f"{MODEL} flies in" in missing["text"]
    assert "but the folder is 'another'" in misnamed["text"]


def test_the_relay_must_refuse_outside_a_contact(installation: Callable[..., Path]) -> None:
    almanac = Almanac(build_spacecraft(load_scenario(DEMO)))
    coming = almanac.next_contact(0.0)
    assert coming is not None
    with refusing_relay() as port:
        path = installation(port)
        (unknown,) = of_area(examined(path, 0), "broker")
        anchor_at(path, coming.los_s + 600.0)
        (outside,) = of_area(examined(path, 0), "broker")
        anchor_at(path, coming.tca_s - 30.0)
        (inside,) = of_area(examined(path, 1), "broker")
    assert unknown["status"] == "note"
    assert "no mission clock runs" in unknown["text"]
    assert outside["status"] == "ok"
    assert "as it must outside a contact: next AOS at mission time" in outside["text"]
    assert inside["status"] == "error"
    assert "though the node is in contact with" in inside["text"]
    assert "groundlink relay --broker" in inside["remedy"]


def test_a_simulated_node_needs_neither_models_nor_a_link(
    installation: Callable[..., Path],
) -> None:
    path = installation(
        free_port(), '[inference]\nexecutor = "simulated"', '[clock]\nmode = "freerun"'
    )
    path.write_text(path.read_text().replace('"generic"', '"simulated"'))
    findings = examined(path, 0)
    for area in ("models", "broker", "providers"):
        (found,) = of_area(findings, area)
        assert found["status"] == "note"


def test_engines_are_not_built_by_looking(
    installation: Callable[..., Path], tmp_path: Path
) -> None:
    name = "TensorrtExecutionProvider"
    path = installation(
        free_port(),
        f'[inference]\nproviders = ["{name}"]',
        f'[inference.provider_options.{name}]\ntrt_engine_cache_path = "engines"',
    )
    findings = examined(path, 1)
    (found,) = of_area(findings, "models")
    assert found["status"] == "note"
    assert "engines are not built yet" in found["text"]
    assert not (tmp_path / "engines").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nowhere.toml"], 78, "nowhere.toml: cannot be read"),
        ([str(DEMO)], 78, "demo.toml"),
        (["node.toml", "--root", "/"], 2, "--root stands in the installation's [board]"),
        (["--nonsense"], 2, "unrecognized arguments"),
    ],
)
def test_nonsense_is_refused(arguments: list[str], status: int, words: str) -> None:
    done = run(*arguments)
    assert done.returncode == status
    assert words in done.stderr
    assert done.stdout == ""


def test_colour_only_where_a_person_reads(tmp_path: Path) -> None:
    tree = copy_board("raspberry-pi-4", tmp_path)
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-m", "node", "doctor", "--root", str(tree.root)],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment,
    ):
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # the end of a terminal whose program has gone
            while part := os.read(ours, 65_536):
                text += part
    os.close(ours)
    assert b"\033[32mok     \033[0m" in text
