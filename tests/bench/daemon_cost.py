"""What the daemon itself costs: memory and CPU at rest, and how long it takes to start."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from figures import Figure
from subjects import large, write_installation

GOAL_RSS_MB = 60.0
GOAL_CPU_PERCENT = 1.0
_ROOT = Path(__file__).parents[2]
_READY_LIMIT_S = 90.0
_SETTLE_S = 5.0


@contextlib.contextmanager
def daemon(installation: Path) -> Iterator[tuple[psutil.Process, float]]:
    """Run a node; yield its process, and the seconds from its start until it said ``ready``."""
    log = installation.with_name("node.log")
    command = [sys.executable, "-m", "node", "run", "--config", str(installation)]
    begun_s = time.monotonic()
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=_ROOT, stdout=output, stderr=output) as process,
    ):
        try:
            while b" ready node=" not in log.read_bytes():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() - begun_s < _READY_LIMIT_S, log.read_text()
                time.sleep(0.005)
            yield psutil.Process(process.pid), time.monotonic() - begun_s
        finally:
            process.terminate()
            process.wait(15.0)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def help_s(rounds: int) -> float:
    """Return the wall seconds of ``orbitnode --help``, the best of several."""
    seconds = []
    for _ in range(rounds):
        begun_s = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "node", "--help"],
            cwd=_ROOT,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        seconds.append(time.monotonic() - begun_s)
    return min(seconds)


def measure(scenario_path: Path, *, quick: bool) -> tuple[list[Figure], dict[str, object]]:
    """Measure a node at rest with a real model, and starts."""
    with TemporaryDirectory() as folder:
        subject = large(Path(folder) / "models")
        installation = write_installation(Path(folder), subject, scenario_path.resolve())
        with daemon(installation) as (process, ready_s):
            (worker,) = process.children()
            time.sleep(_SETTLE_S)
            begun_s, cpu_s, worker_cpu_s = time.monotonic(), _cpu_s(process), _cpu_s(worker)
            time.sleep(5.0 if quick else 15.0)
            span_s = time.monotonic() - begun_s
            cpu_percent = (_cpu_s(process) - cpu_s) / span_s * 100.0
            worker_percent = (_cpu_s(worker) - worker_cpu_s) / span_s * 100.0
            rss_mb = process.memory_info().rss / 1e6
            unique_mb = process.memory_full_info().uss / 1e6
            worker_mb = worker.memory_info().rss / 1e6
        simulated = write_installation(Path(folder), None, scenario_path.resolve())
        starts_s = []
        for _ in range(2 if quick else 5):
            with daemon(simulated) as (_, bare_ready_s):
                starts_s.append(bare_ready_s)
    figures = [
        Figure(
            "daemon, resident memory",
            rss_mb,
            "MB",
            GOAL_RSS_MB,
            "lower",
            f"{unique_mb:.1f} MB of it are its own; the worker has {worker_mb:.0f} MB",
        ),
        Figure(
            "daemon, CPU at rest, a tick a second",
            cpu_percent,
            "% of a core",
            GOAL_CPU_PERCENT,
            "lower",
            f"over {span_s:.0f} s; the worker {worker_percent:.2f} %",
        ),
        Figure("orbitnode --help", help_s(3 if quick else 9) * 1e3, "ms", note="wall, best"),
        Figure(
            "start until ready, simulated executor",
            statistics.median(starts_s),
            "s",
            note="wall, median: the daemon alone",
        ),
        Figure(
            "start until ready, with its model warm",
            ready_s,
            "s",
            note=f"wall, one start; {subject.title}",
        ),
    ]
    return figures, {"starts_s": starts_s, "cpu_window_s": span_s}
