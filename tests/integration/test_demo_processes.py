from __future__ import annotations

import os
import re
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from groundlink.demo import processes
from groundlink.demo.launch import broker_command
from groundlink.demo.processes import Crew, free_ports, listens, tail
from node.errors import ProcessError

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_crew_ends_the_last_started_first(tmp_path: Path) -> None:
    says = (
        "import signal, sys, time\n"
        "signal.signal(15, lambda *_: sys.exit(print({!r}, time.monotonic_ns())))\n"
        "print('up', flush=True)\n"
        "time.sleep(60)"
    )
    with closing(Crew(tmp_path)) as crew:
        members = [
            crew.start(name, [sys.executable, "-c", says.format(name)]) for name in ("a", "b", "c")
        ]
        for member in members:
            crew.wait_until(member.name, lambda log=member.log: b"up" in log.read_bytes(), 20.0)
        crew.check()
    ends = {m.name: int((tmp_path / f"{m.name}.log").read_text().split()[-1]) for m in members}
    assert sorted(ends, key=ends.__getitem__) == ["c", "b", "a"]
    assert not any(alive(m.process.pid) for m in members)


def test_a_process_that_dies_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    script = "for n in range(100): print('line', n)\nraise SystemExit(3)"
    with closing(Crew(tmp_path)) as crew:
        crew.start("steady", SLEEP)
        crew.start("fragile", [sys.executable, "-c", script])
        with pytest.raises(ProcessError) as caught:
            crew.wait_until("steady", lambda: False, 20.0)
    assert "fragile ended with exit status 3" in str(caught.value)
    assert "line 99" in str(caught.value)
    assert "line 80" not in str(caught.value)


def test_a_process_that_is_not_ready_in_time_is_told(tmp_path: Path) -> None:
    with closing(Crew(tmp_path)) as crew:
        crew.start("slow", SLEEP)
        with pytest.raises(ProcessError, match=r"slow was not ready in 0\.2 s"):
            crew.wait_until("slow", lambda: False, 0.2)


def test_a_process_that_ignores_sigterm_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_GRACE_S", 0.3)
    script = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"child = subprocess.Popen({SLEEP!r})\n"
        "print('child', child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with closing(Crew(tmp_path)) as crew:
        member = crew.start("stubborn", [sys.executable, "-c", script])
        crew.wait_until("stubborn", lambda: b"child" in member.log.read_bytes(), 20.0)
    found = re.search(r"child (\d+)", member.log.read_text())
    assert found
    end_s = time.monotonic() + 10
    while alive(int(found[1])) and time.monotonic() < end_s:
        # The orphan's new parent reaps it in its own time.
        if Path(f"/proc/{found[1]}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.02)
    else:
        assert not alive(int(found[1]))
    assert member.process.returncode == -9


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    with closing(Crew(tmp_path)) as crew, pytest.raises(ProcessError, match="cannot be started"):
        crew.start("ghost", [str(tmp_path / "nothing")])


def test_the_broker_of_a_run_listens_and_ends(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with closing(Crew(tmp_path)) as crew:
        crew.start("broker", broker_command(tmp_path, port))
        crew.wait_until("broker", lambda: listens(port), 20.0)
    assert not listens(port)


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20


def test_the_tail_of_a_log_is_its_end(tmp_path: Path) -> None:
    assert "No such file" in tail(tmp_path / "none")
    (tmp_path / "empty").write_bytes(b"")
    assert "nothing was logged" in tail(tmp_path / "empty")
    (tmp_path / "odd").write_bytes(b"\xff\xfe tail")
    assert "tail" in tail(tmp_path / "odd")
