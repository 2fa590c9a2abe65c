"""The worker as a process: what it costs the daemon, and that it never outlives it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import model_factory
import numpy as np
import psutil
import pytest
from executors import CPU, opened
from model_factory import npz
from waiting import until, until_busy

from node._compat import TaskGroup, timeout
from node.inference.executor import OnnxExecutor

GOOD = npz(x=np.ones((1, 4), np.float32))
ROOT = Path(__file__).resolve().parents[3]

DAEMON = """
import asyncio, sys
from pathlib import Path
from node.inference.executor import OnnxExecutor
from node.inference.simulated import SimulatedExecutor

async def main():
    executor = OnnxExecutor(Path(sys.argv[1]), ["CPUExecutionProvider"], default_threads=1)
    await executor.start()
    print(executor.worker_pid, flush=True)
    outcome = await executor.run(sys.argv[2], Path(sys.argv[3]).read_bytes(), 1)
    assert outcome.ok, outcome
    await executor.close()

asyncio.run(main())
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def daemon(tmp_path: Path, model: str, data: bytes) -> subprocess.Popen[str]:
    (tmp_path / "input.npz").write_bytes(data)
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            DAEMON,
            str(tmp_path / "models"),
            model,
            str(tmp_path / "input.npz"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_daemon_imports_neither_numpy_nor_onnxruntime(tmp_path: Path) -> None:
    model_factory.echo(tmp_path / "models")
    with daemon(tmp_path, "echo", GOOD) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    loaded = output.splitlines()[1].split()
    assert "msgspec" in loaded
    assert not {"numpy", "onnxruntime", "onnx"} & set(loaded)


@pytest.mark.parametrize("model", ["slow_loop", "slow_node"])
async def test_the_worker_dies_with_a_killed_daemon(tmp_path: Path, model: str) -> None:
    model_factory.slow_loop(tmp_path / "models")
    model_factory.slow_single_node(tmp_path / "models")
    with daemon(tmp_path, model, model_factory.ONE_FIGURE) as process:
        assert process.stdout is not None
        worker = psutil.Process(int(process.stdout.readline()))
        started_s = sum(worker.cpu_times()[:2])
        async with timeout(30):
            await until(lambda: sum(worker.cpu_times()[:2]) > started_s + 0.05)
        process.kill()
    async with timeout(5):
        await until(lambda: not _lives(worker))


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_the_worker_ends_when_its_channels_close(tmp_path: Path) -> None:
    model_factory.echo(tmp_path)
    async with opened(tmp_path) as executor:
        worker = executor._worker
        assert worker is not None
        worker._stop.shutdown(2)
        async with timeout(5):
            await worker.gone.wait()
        assert worker.exit_status == 0
        assert (await executor.run("echo", GOOD, 1)).ok


async def test_only_the_daemon_ends_the_worker(tmp_path: Path) -> None:
    model_factory.echo(tmp_path)
    async with opened(tmp_path) as executor:
        pid = executor.worker_pid
        assert pid is not None
        assert os.getpgid(pid) == pid != os.getpgid(0)
        assert os.getsid(pid) == pid
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)
        assert (await executor.run("echo", GOOD, 1)).ok
        assert executor.worker_pid == pid


async def test_close_leaves_no_descriptor_and_no_process(tmp_path: Path) -> None:
    model_factory.echo(tmp_path)
    model_factory.slow_loop(tmp_path)

    async def cycle() -> int | None:
        async with opened(tmp_path) as executor:
            assert (await executor.run("echo", GOOD, 1)).ok
            async with TaskGroup() as group:
                group.create_task(executor.run("slow_loop", model_factory.ONE_FIGURE, 1))
                await until_busy(executor)
                await executor.kill()
            await executor.start()
            return executor.worker_pid

    await cycle()
    before = psutil.Process().num_fds()
    pids = [await cycle() for _ in range(3)]
    assert psutil.Process().num_fds() == before
    assert psutil.Process().children() == []
    assert not any(psutil.pid_exists(pid or 0) for pid in pids)


async def test_close_may_be_called_twice_and_before_start(tmp_path: Path) -> None:
    model_factory.echo(tmp_path)
    executor = OnnxExecutor(tmp_path, [CPU])
    await executor.close()
    await executor.start()
    await executor.close()
    await executor.close()
    assert executor.worker_pid is None


async def test_a_worker_that_talks_nonsense_is_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model_factory.echo(tmp_path)
    async with opened(tmp_path) as executor:
        worker = executor._worker
        assert worker is not None
        list(worker._reader.feed(b"\0\0"))
        outcome = await executor.run("echo", GOOD, 1)
        assert outcome.worker_killed
        assert "event=bad_message" in caplog.text
        assert (await executor.run("echo", GOOD, 1)).ok


async def test_what_the_worker_prints_is_logged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    model_factory.echo(tmp_path)
    shims = tmp_path / ".shims"
    shims.mkdir()
    (shims / "sitecustomize.py").write_text("print('one line'); print('x' * 10000)")
    monkeypatch.setenv("PYTHONPATH", str(shims))
    with caplog.at_level(logging.WARNING):
        async with opened(tmp_path):
            await asyncio.sleep(0)
    said = [record.getMessage().partition("output=")[2] for record in caplog.records]
    assert said[0] == "one line"
    assert all(0 < len(line) <= 4096 for line in said)
