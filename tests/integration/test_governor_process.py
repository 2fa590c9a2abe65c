"""The privileged helper as a process on copied boards: however it ends, limits are as found."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from board_tree import NAMES, copy_board
from governor_process import OWN_USER, PATIENCE_S, ROOT, Connection, Governor

from node.limits.protocol import MAX_REQUEST_BYTES, VERSION

POLICY0 = "sys/devices/system/cpu/cpufreq/policy0"
GPU = "sys/devices/platform/bus@0/17000000.gpu/devfreq/17000000.gpu"
EMC = "sys/kernel/nvpmodel_clk_cap/emc"
MMIO = "sys/devices/virtual/powercap/intel-rapl-mmio/intel-rapl-mmio:0"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def governor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Governor]:
    name = getattr(request, "param", "jetson-orin-nano")
    governor = Governor(copy_board(name, tmp_path), tmp_path)
    yield governor
    governor.close()


@pytest.fixture
def client(governor: Governor) -> Connection:
    governor.start()
    return governor.connect()


def lower_all(client: Connection) -> int:
    """Cap whatever this board has to a bit below its baseline; returns how many knobs it has."""
    knobs = client.ask("describe")["knobs"]
    for knob in knobs:
        asked = knob["baseline"] - 1
        verb, field = {
            "cpu": ("cap_cpu", "khz"),
            "gpu": ("cap_gpu", "hz"),
            "emc": ("cap_emc", "hz"),
            "package_power": ("cap_package_power", "microwatts"),
        }[knob["kind"]]
        more = {"policy": int(knob["knob"].split(":")[1])} if knob["kind"] == "cpu" else {}
        answer = client.ask(verb, **{field: asked}, **more)
        assert answer["answer"] == "capped", answer
        (outcome,) = answer["outcomes"]
        assert outcome["written"] == outcome["read_back"] <= asked
    return len(knobs)


def is_lowered(governor: Governor) -> bool:
    now = governor.limits()
    assert all(now[path] <= found for path, found in governor.found.items())
    return now != governor.found


@pytest.mark.parametrize("governor", NAMES, indirect=True)
def test_every_knob_of_every_board_goes_down_and_comes_back(
    governor: Governor, client: Connection
) -> None:
    count = lower_all(client)
    assert count >= 1
    assert is_lowered(governor)
    assert len(client.ask("heartbeat")["held"]) == count
    restorations = client.ask("release")["restorations"]
    assert len(restorations) >= count
    assert all(each["restored"] for each in restorations)
    assert governor.as_found
    assert not (governor.state / "journal.json").exists()


@pytest.mark.parametrize("governor", ["raspberry-pi-5"], indirect=True)
def test_the_floor_of_a_raspberry_pi_5_is_told(governor: Governor, client: Connection) -> None:
    (outcome,) = client.ask("cap_cpu", khz=1_000_000)["outcomes"]
    assert (outcome["asked"], outcome["written"], outcome["read_back"]) == (
        1_000_000,
        1_500_000,
        1_500_000,
    )
    assert "1500000" in outcome["note"]
    assert governor.limits()[f"{POLICY0}/scaling_max_freq"] == 1_500_000


@pytest.mark.parametrize("governor", ["generic-x86"], indirect=True)
def test_both_zones_of_a_package_are_lowered(governor: Governor, client: Connection) -> None:
    client.ask("cap_package_power", microwatts=15_000_000)
    limits = governor.limits()
    capped = {path for path, value in limits.items() if value == 15_000_000}
    assert {path.split("/")[-2] for path in capped} == {"intel-rapl:0", "intel-rapl-mmio:0"}
    assert len(capped) == 4
    refused = client.ask("cap_package_power", microwatts=28_000_001)
    assert refused["code"] == "above_baseline"


def test_only_files_of_limits_are_ever_written(governor: Governor, client: Connection) -> None:
    def contents() -> dict[Path, bytes]:
        return {
            path: path.read_bytes()
            for path in governor.board.root.rglob("*")
            if path.is_file() and not path.is_symlink()
        }

    before = contents()
    lower_all(client)
    changed = {path for path, data in contents().items() if before[path] != data}
    root = governor.board.root
    assert {str(path.relative_to(root)) for path in changed} <= set(governor.limits())
    assert len(changed) >= 4


HOSTILE = [
    b'{"verb":"cap_cpu","khz":"/sys/kernel/debug"}',
    b'{"verb":"cap_cpu","khz":-1}',
    b'{"verb":"cap_cpu","khz":0}',
    b'{"verb":"cap_cpu","khz":NaN}',
    b'{"verb":"cap_cpu","khz":1e6}',
    b'{"verb":"cap_cpu","khz":1000000.0}',
    b'{"verb":"cap_cpu","khz":true}',
    b'{"verb":"cap_cpu","khz":170141183460469231731687303715884105728}',
    b'{"verb":"cap_cpu","khz":1000000,"policy":"../../../../etc"}',
    b'{"verb":"cap_cpu","khz":1000000,"path":"/etc/passwd"}',
    b'{"verb":"cap_gpu","hz":"9"}',
    b'{"verb":"cap_emc","hz":[1]}',
    b'{"verb":"cap_package_power","microwatts":null}',
    b'{"verb":"release","knob":"/"}',
    b'{"verb":"exec","command":"id"}',
    b'{"verb":"describe","v":%d}' % (VERSION + 1),
    b"\x00\xff\xfe\x80binary",
    b"[[[[[[[[[[",
    b"",
    b"GET / HTTP/1.1",
]


def test_hostile_lines_are_answered_and_change_nothing(
    governor: Governor, client: Connection
) -> None:
    for line in HOSTILE:
        client.send(line + b"\n")
        assert client.answer()["code"] == "malformed", line
    # All at once, and cut where it hurts.
    stream = b"\n".join(HOSTILE) + b"\n"
    for start in range(0, len(stream), 7):
        client.send(stream[start : start + 7])
    assert [client.answer()["code"] for _ in HOSTILE] == ["malformed"] * len(HOSTILE)
    assert governor.as_found
    assert client.ask("describe")["answer"] == "described"


@pytest.mark.parametrize(
    ("verb", "field", "file"),
    [
        ("cap_cpu", "khz", f"{POLICY0}/scaling_max_freq"),
        ("cap_gpu", "hz", f"{GPU}/max_freq"),
        ("cap_emc", "hz", EMC),
    ],
)
def test_numbers_at_the_edges(
    verb: str, field: str, file: str, governor: Governor, client: Connection
) -> None:
    baseline = governor.found[file]
    for asked in (baseline + 1, 1 << 53):
        assert client.ask(verb, **{field: asked})["code"] == "above_baseline"
    assert client.ask(verb, **{field: (1 << 53) + 1})["code"] == "malformed"
    assert governor.as_found
    outcome = client.ask(verb, **{field: 1})["outcomes"][0]
    assert "floor" in outcome["note"]
    assert 0 < governor.limits()[file] < baseline
    assert client.ask(verb, **{field: baseline})["outcomes"][0]["read_back"] == baseline
    assert governor.as_found


@pytest.mark.parametrize("line", [b"x" * (MAX_REQUEST_BYTES + 1), b'{"v":' + b" " * 1500 + b"1}\n"])
def test_a_line_that_is_too_long_ends_the_connection(
    line: bytes, governor: Governor, client: Connection
) -> None:
    lower_all(client)
    client.send(line)
    assert client.answer()["code"] == "too_long"
    assert client.answer() == {}
    governor.wait_for(lambda: governor.as_found)


def test_a_line_without_an_end_is_no_request(governor: Governor, client: Connection) -> None:
    client.send(b'{"verb":"cap_cpu","khz":600000}')
    client.socket.shutdown(socket.SHUT_WR)
    assert client.answer() == {}
    assert governor.as_found


def test_a_client_that_never_reads_loses_its_lease(governor: Governor) -> None:
    governor.start("--lease-s", "0.5")
    client = governor.connect()
    lower_all(client)
    client.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        # Neither are its requests read, so that they cannot fill the helper's memory.
        client.send(b'{"verb":"heartbeat"}\n' * 1_000_000)
    governor.wait_for(lambda: governor.as_found)
    assert governor.connect().ask("describe")["holder"] == ""


def test_planted_links_are_not_followed(governor: Governor, tmp_path: Path) -> None:
    root = governor.board.root
    victim = tmp_path / "victim"
    victim.write_text("900000000")
    inner = root / "etc/victim"
    inner.write_text("900000000")
    # A file, a folder of a policy, the GPU's device and the memory's file lead elsewhere.
    (root / POLICY0 / "scaling_max_freq").unlink()
    (root / POLICY0 / "scaling_max_freq").symlink_to(victim)
    policy4 = root / "sys/devices/system/cpu/cpufreq/policy4"
    policy4.rename(root / "etc/policy4")
    policy4.symlink_to("../../../../../etc/policy4")
    elsewhere = tmp_path / "gpu"
    shutil.copytree(root / GPU, elsewhere, symlinks=True)
    (root / "sys/class/devfreq/17000000.gpu").unlink()
    (root / "sys/class/devfreq/17000000.gpu").symlink_to(elsewhere)
    (root / EMC).unlink()
    (root / EMC).symlink_to("../../../etc/victim")
    governor.start()
    client = governor.connect()
    described = client.ask("describe")
    assert described["knobs"] == []
    assert {text.split(":")[0] for text in described["left_out"]} == {"cpu"}
    assert client.ask("cap_cpu", khz=600_000)["code"] == "unknown_knob"
    assert client.ask("cap_gpu", hz=306_000_000)["code"] == "unknown_knob"
    assert client.ask("cap_emc", hz=204_000_000)["code"] == "unknown_knob"
    assert victim.read_text() == inner.read_text() == "900000000"
    assert (elsewhere / "max_freq").read_text().strip() == "918000000"


def test_a_link_that_is_planted_while_a_cap_is_held_gets_nothing(
    governor: Governor, client: Connection, tmp_path: Path
) -> None:
    client.ask("cap_cpu", khz=600_000, policy=0)
    limit = governor.board.root / POLICY0 / "scaling_max_freq"
    victim = tmp_path / "victim"
    victim.write_text("576000")
    limit.unlink()
    limit.symlink_to(victim)
    restorations = {each["file"]: each for each in client.ask("release")["restorations"]}
    assert restorations[f"{POLICY0}/scaling_max_freq"]["found"] is None
    assert victim.read_text() == "576000"


def test_a_second_client_is_refused_until_the_first_has_gone(
    governor: Governor, client: Connection
) -> None:
    lower_all(client)
    lowered = governor.limits()
    second = governor.connect()
    for verb, fields in (
        ("cap_cpu", {"khz": 600_000}),
        ("release", {}),
        ("heartbeat", {}),
    ):
        answer = second.ask(verb, **fields)
        assert answer["code"] == "busy"
        assert answer["holder"] == f"pid {os.getpid()}, uid {os.geteuid()}"
    second.close()
    time.sleep(0.05)
    assert governor.limits() == lowered
    client.close()
    governor.wait_for(lambda: governor.as_found)
    assert governor.connect().ask("cap_cpu", khz=600_000)["answer"] == "capped"


def test_no_more_than_a_few_clients_are_served(governor: Governor, client: Connection) -> None:
    assert client.ask("describe")["answer"] == "described"
    others = [governor.connect() for _ in range(7)]
    assert all(other.ask("describe")["answer"] == "described" for other in others)
    ninth = governor.connect()
    assert ninth.answer()["code"] == "too_many"
    assert ninth.answer() == {}
    others[0].close()
    governor.wait_for(lambda: governor.connect().ask("describe").get("answer") == "described")


@AS_ROOT
def test_a_process_of_another_user_is_refused(governor: Governor, request: Any) -> None:
    # The folders of tests are their user's alone; this one can be reached by all.
    folder = Path(tempfile.mkdtemp())
    request.addfinalizer(lambda: shutil.rmtree(folder))
    folder.chmod(0o755)
    governor.socket_path = folder / "governor.sock"
    governor.start()
    program = (
        "import os, socket, sys\n"
        f"os.setgroups([]); os.setgid({NOBODY.pw_gid}); os.setuid({NOBODY.pw_uid})\n"
        "client = socket.socket(socket.AF_UNIX)\n"
        f"client.connect({str(governor.socket_path)!r})\n"
        "sys.stdout.write(client.recv(1000).decode())\n"
    )

    def as_nobody() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    assert stat.S_IMODE(governor.socket_path.stat().st_mode) == 0o660
    # The mode of the socket keeps it out already; the kernel's word on who it is does so too.
    assert "PermissionError" in as_nobody().stderr
    governor.socket_path.chmod(0o666)
    assert json.loads(as_nobody().stdout)["code"] == "forbidden"
    assert governor.connect().ask("describe")["answer"] == "described"
    assert governor.as_found


def test_a_user_who_is_not_named_is_refused(governor: Governor) -> None:
    governor.start(user="nobody" if OWN_USER != "nobody" else "root")
    client = governor.connect()
    assert client.answer()["code"] == "forbidden"
    assert client.answer() == {}


CLIENT = """
import socket, sys, time
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.sendall(b'{"verb":"cap_cpu","khz":600000}\\n')
print(client.recv(1000).decode(), flush=True)
time.sleep(60)
"""


def test_a_client_that_is_killed_leaves_nothing_lowered(governor: Governor) -> None:
    governor.start()
    with subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(governor.socket_path)], stdout=subprocess.PIPE
    ) as client:
        assert client.stdout is not None
        assert b"capped" in client.stdout.readline()
        assert is_lowered(governor)
        client.kill()
    governor.wait_for(lambda: governor.as_found)


def test_a_client_that_falls_silent_loses_its_lease(governor: Governor) -> None:
    governor.start("--lease-s", "0.3")
    client = governor.connect()
    lower_all(client)
    for _ in range(5):
        time.sleep(0.1)
        assert client.ask("heartbeat")["answer"] == "alive"
    assert is_lowered(governor)
    governor.wait_for(lambda: governor.as_found)
    assert client.ask("heartbeat")["code"] == "no_lease"
    assert client.ask("cap_cpu", khz=600_000)["answer"] == "capped"
    assert is_lowered(governor)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_helper_that_is_told_to_stop_restores(
    number: signal.Signals, governor: Governor, client: Connection
) -> None:
    lower_all(client)
    assert governor.stop(number) == 0
    assert governor.as_found
    assert not (governor.state / "journal.json").exists()


@pytest.mark.parametrize("governor", ["jetson-orin-nano", "generic-x86"], indirect=True)
def test_a_helper_that_is_killed_is_made_good_at_the_next_start(
    governor: Governor, client: Connection
) -> None:
    lower_all(client)
    assert governor.stop(signal.SIGKILL) == -signal.SIGKILL
    assert is_lowered(governor)
    governor.start()
    assert governor.as_found
    assert "journal_left_behind" in governor.log_text
    assert governor.connect().ask("describe")["holder"] == ""


def test_a_helper_that_is_killed_is_made_good_without_a_next_start(
    governor: Governor, client: Connection
) -> None:
    lower_all(client)
    governor.stop(signal.SIGKILL)
    assert governor.restore() == 0
    assert governor.as_found
    assert governor.restore() == 0


def test_after_a_reboot_nothing_is_restored(governor: Governor, client: Connection) -> None:
    lower_all(client)
    governor.stop(signal.SIGKILL)
    lowered = governor.limits()
    governor.boot_id.write_text("boot-2\n")
    governor.start()
    assert governor.limits() == lowered
    assert "journal_of_another_boot" in governor.log_text
    assert not (governor.state / "journal.json").exists()


def test_a_corrupt_journal_is_set_aside_and_nothing_is_written_from_it(
    governor: Governor, client: Connection
) -> None:
    lower_all(client)
    governor.stop(signal.SIGKILL)
    lowered = governor.limits()
    journal = governor.state / "journal.json"
    journal.write_bytes(journal.read_bytes()[:-20])
    governor.start()
    assert governor.limits() == lowered
    assert "ERROR" in governor.log_text
    assert "journal_corrupt" in governor.log_text
    assert (governor.state / "journal.corrupt").exists()
    # What is there now is what the next client finds and gets back.
    client = governor.connect()
    client.ask("cap_gpu", hz=306_000_000)
    client.close()
    governor.wait_for(lambda: governor.limits() == lowered)


def test_a_journal_that_names_other_files_writes_to_none(
    governor: Governor, tmp_path: Path
) -> None:
    fan = next(governor.board.root.rglob("pwm1"))
    before = fan.read_text()
    path = str(fan.relative_to(governor.board.root))
    entry = {"baseline": 0, "written": int(before), "read_back": int(before)}
    victim = tmp_path / "victim"
    victim.write_text("5")
    outside = {"file": "../victim", "baseline": 7, "written": 5, "read_back": 5}
    document = {"v": 1, "boot_id": "boot-1", "entries": [{"file": path, **entry}, outside]}
    (governor.state / "journal.json").write_text(json.dumps(document))
    governor.start()
    assert fan.read_text() == before
    assert victim.read_text() == "5"
    assert governor.as_found


def test_a_full_disk_keeps_from_lowering_and_not_from_restoring(
    governor: Governor, client: Connection
) -> None:
    governor.limit_files(100)
    answer = client.ask("cap_cpu", khz=600_000)
    assert answer["code"] == "journal"
    assert "No space" in answer["text"]
    assert governor.as_found
    governor.limit_files(1 << 20)
    lower_all(client)
    governor.limit_files(100)
    client.close()
    governor.wait_for(lambda: governor.as_found)


def test_a_state_folder_that_cannot_be_used_is_a_bad_configuration(
    governor: Governor, tmp_path: Path
) -> None:
    governor.state = tmp_path / "none"
    assert governor.restore() == os.EX_CONFIG


def test_two_helpers_do_not_share_a_journal(governor: Governor, client: Connection) -> None:
    lower_all(client)
    lowered = governor.limits()
    assert governor.restore() == os.EX_CONFIG
    assert governor.limits() == lowered


def test_what_another_has_set_meanwhile_stays(governor: Governor, client: Connection) -> None:
    lower_all(client)
    limit = governor.board.root / POLICY0 / "scaling_max_freq"
    limit.write_text("806400\n")
    restorations = {each["file"]: each for each in client.ask("release")["restorations"]}
    assert "another" in restorations[f"{POLICY0}/scaling_max_freq"]["note"]
    assert governor.limits() == {**governor.found, f"{POLICY0}/scaling_max_freq": 806_400}


def test_a_socket_of_the_service_manager_is_taken_over(governor: Governor) -> None:
    """As sd_listen_fds(3) has it: descriptor 3, and our own process number in LISTEN_PID."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(governor.socket_path))
        listener.listen()
        command = governor.command("--allow-user", OWN_USER, "--idle-exit-s", "0.2")
        script = (
            f"import os, sys; os.dup2({listener.fileno()}, 3); "
            "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid())); "
            "os.execv(sys.executable, sys.argv[1:])"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, *command],
            cwd=ROOT,
            pass_fds=[listener.fileno()],
            stderr=subprocess.DEVNULL,
        ) as process:
            client = governor.connect()
            lower_all(client)
            client.close()
            # With nobody to serve it ends; the next client is the service manager's to see.
            assert process.wait(PATIENCE_S) == 0
    assert governor.as_found


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "--socket"),
        (("--socket", "/nowhere/at/all"), "--socket"),
        (("--socket", "{folder}/x", "--allow-user", "no-such-user"), "no-such-user"),
        (("--root", "/nowhere"), "--root"),
        (("--boot-id-file", "/nowhere"), "--boot-id-file"),
    ],
)
def test_a_wrong_command_line_ends_with_78(
    arguments: tuple[str, ...], word: str, governor: Governor, tmp_path: Path
) -> None:
    command = governor.command(*(each.format(folder=tmp_path) for each in arguments))
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == os.EX_CONFIG
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_it_starts_without_the_heavy_libraries() -> None:
    program = "import sys, node.limits.main; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    heavy = {"asyncio", "numpy", "paho", "aiomqtt", "onnxruntime", "sgp4", "sqlite3", "rich"}
    assert not heavy & set(done.stdout.split())
