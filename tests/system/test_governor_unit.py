"""The privileged helper's units, as far as they can be judged without booting them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from node.limits.client import DEFAULT_PATH
from node.limits.knobs import EMC_FILES, GPU_NAMES
from node.limits.main import main

UNITS = Path(__file__).parents[2] / "systemd"
SERVICE = UNITS / "orbitnode-governor.service"
SOCKET = UNITS / "orbitnode-governor.socket"
PROGRAM = "/usr/bin/orbitnode-governor"
MOST_EXPOSED = 15
"""In tenths: systemd's own word for up to 2.0 is "OK"."""


def values(unit: Path, key: str) -> list[str]:
    lines = unit.read_text().splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Both units, with a program that is there."""
    text = SERVICE.read_text()
    assert text.count(f"={PROGRAM} ") == 2
    (tmp_path / SERVICE.name).write_text(text.replace(PROGRAM, shutil.which("true") or ""))
    shutil.copy(SOCKET, tmp_path)
    return tmp_path


def test_what_may_be_written_is_what_the_helper_writes() -> None:
    assert values(SERVICE, "ProtectSystem") == ["strict"]
    assert values(SERVICE, "ReadOnlyPaths") == ["/proc /sys"]
    assert values(SERVICE, "ReadWritePaths") == [
        "-/sys/devices/system/cpu/cpufreq",
        *(f"-/sys/class/devfreq/{name}" for name in GPU_NAMES),
        *(f"-/{Path(path).parent}" for path in EMC_FILES),
        "-/sys/devices/virtual/powercap/intel-rapl",
        "-/sys/devices/virtual/powercap/intel-rapl-mmio",
    ]


def test_root_has_no_capability() -> None:
    for key in ("CapabilityBoundingSet", "AmbientCapabilities"):
        assert values(SERVICE, key) == [""]
    assert values(SERVICE, "NoNewPrivileges") == ["yes"]
    assert values(SERVICE, "RestrictAddressFamilies") == ["AF_UNIX"]


def test_the_client_looks_where_the_socket_is() -> None:
    assert values(SOCKET, "ListenStream") == [str(DEFAULT_PATH)]
    assert values(SOCKET, "SocketMode") == ["0660"]
    assert values(SOCKET, "SocketGroup") == ["orbitnode"]


@pytest.mark.parametrize("key", ["ExecStart", "ExecStopPost"])
def test_the_command_line_is_one_that_the_helper_knows(
    key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = values(SERVICE, key)
    _, *arguments = line.split()
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--help"])
    assert end.value.code == 0
    assert all(argument in capsys.readouterr().out for argument in arguments[:1])


def test_systemd_finds_nothing_wrong(installed: Path) -> None:
    for unit in (SERVICE.name, SOCKET.name):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(installed / unit)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        found = [line for line in done.stderr.splitlines() if "orbitnode-governor" in line]
        assert (done.returncode, found) == (0, [])


def test_systemd_calls_the_exposure_small(installed: Path) -> None:
    done = subprocess.run(
        [
            *("systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSED}"),
            *("--no-pager", str(installed / SERVICE.name)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout[-2000:]
