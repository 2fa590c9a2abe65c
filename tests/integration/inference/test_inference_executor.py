"""The real worker: what it computes, what it refuses, how it comes back."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import model_factory
import numpy as np
import onnxruntime
import pytest
from executors import CPU, opened
from model_factory import npz, unpack
from waiting import until, until_busy

from node._compat import TaskGroup
from node.errors import ModelError, ProviderError, WorkerError
from node.inference.base import Executor
from node.inference.executor import OnnxExecutor


def bare_session(folder: Path, thread_count: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count
    return onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=[CPU])


@pytest.mark.parametrize("thread_count", [1, 2])
async def test_the_result_is_that_of_the_bare_session(tmp_path: Path, thread_count: int) -> None:
    folder = model_factory.tiny_cnn(tmp_path)
    random = np.random.default_rng(3)
    bands = random.integers(0, 10_000, (3, 48, 48, 4), dtype=np.uint16)
    x = bands.astype(np.float32) * np.float32(0.0001)
    x = x - np.array([0.31, 0.29, 0.27, 0.42], np.float32)
    x = x / np.array([0.21, 0.2, 0.19, 0.23], np.float32)
    (scores,) = bare_session(folder, thread_count).run(["mask"], {"bands": x})
    expected = scores.argmax(-1).astype(np.uint8)
    assert len(np.unique(expected)) == 4
    async with opened(tmp_path) as executor:
        outcome = await executor.run("tiny", npz(bands=bands), thread_count)
        again = await executor.run("tiny", npz(bands=bands), thread_count)
        sha256 = executor.models["tiny"].card.sha256
    found = unpack(outcome.result)
    assert list(found) == ["mask"]
    assert found["mask"].dtype == np.uint8
    assert np.array_equal(found["mask"], expected)
    assert again.result == outcome.result
    assert outcome.ok
    assert outcome.error == ""
    assert not outcome.aborted
    assert not outcome.worker_killed
    assert outcome.model_sha256 == sha256
    assert outcome.provider == CPU
    assert 0 < outcome.inference_s < outcome.duration_s
    assert outcome.cpu_s > 0


async def test_top_k_and_unreduced_results(tmp_path: Path) -> None:
    model_factory.echo(tmp_path, "best", output={"reduction": "top_k", "k": 2, "dtype": "uint16"})
    model_factory.echo(tmp_path, "plain")
    x = np.array([[0.1, 0.9, 0.9, 0.3], [4, 3, 2, 1]], np.float32)
    async with opened(tmp_path) as executor:
        best = unpack((await executor.run("best", npz(x=x), 1)).result)
        plain = unpack((await executor.run("plain", npz(x=x), 1)).result)
    assert best["y_indices"].tolist() == [[1, 2], [0, 1]]
    assert np.array_equal(best["y_values"], np.array([[0.9, 0.9], [4, 3]], np.float32))
    assert np.array_equal(plain["y"], x)


async def test_inputs_larger_than_the_one_before(tmp_path: Path) -> None:
    model_factory.echo(tmp_path, shape=(-1, 100_000), max_batch=8)
    async with opened(tmp_path) as executor:
        for batch in (1, 8, 2):
            x = np.random.default_rng(batch).random((batch, 100_000), np.float32)
            outcome = await executor.run("echo", npz(x=x), 1)
            assert np.array_equal(unpack(outcome.result)["y"], x)


async def test_wrong_tensors_fail_their_run_and_no_other(tmp_path: Path) -> None:
    model_factory.echo(tmp_path)
    good = np.ones((2, 4), np.float32)
    wrong = {
        "too short": b"",
        "no directory": b"this is not an archive at all",
        "expected 'x.npy'": npz(other=good),
        "holds 2 arrays": npz(x=good, y=good),
        "dtype is <f8": npz(x=good.astype(np.float64)),
        "shape is (2, 3)": npz(x=good[:, :3]),
        "shape is (9, 4)": npz(x=np.ones((9, 4), np.float32)),
        "declares": npz(x=np.ones((9000, 4), np.float32)),
        "NaN": npz(x=good * np.float32(np.nan)),
    }
    async with opened(tmp_path) as executor:
        pid = executor.worker_pid
        for text, data in wrong.items():
            outcome = await executor.run("echo", data, 1)
            assert not outcome.ok
            assert text in outcome.error
            assert outcome.result == b""
            assert not outcome.worker_killed
            assert not outcome.aborted
            assert outcome.stop_latency_s is None
            assert (await executor.run("echo", npz(x=good), 1)).ok
        unknown = await executor.run("nothing", npz(x=good), 1)
        assert unknown.error == "there is no model 'nothing'; there are: echo"
        assert executor.worker_pid == pid


async def test_a_corrupt_model_stops_the_start(tmp_path: Path) -> None:
    card_input = {"name": "x", "dtype": "float32", "shape": [1]}
    card_output = {"name": "y", "dtype": "float32"}
    model_factory.write_card(tmp_path, "noise", os.urandom(1000), card_input, card_output)
    with pytest.raises(ModelError, match=r"noise/model\.onnx: cannot be loaded"):
        async with opened(tmp_path):
            pass


@pytest.mark.parametrize(
    ("card_input", "card_output", "message"),
    [
        ({"name": "z"}, {}, r"has the inputs \['x'\], not 'z' alone"),
        ({}, {"name": "z"}, r"has the outputs \['y'\], not 'z'"),
        ({"shape": [4]}, {}, r"takes the shape \['n', 4\], not \[4\]"),
        ({"shape": [-1, 5]}, {}, r"takes the shape \['n', 4\], not \[-1, 5\]"),
    ],
)
async def test_a_card_that_is_not_the_networks_stops_the_start(
    tmp_path: Path,
    card_input: dict[str, Any],
    card_output: dict[str, Any],
    message: str,
) -> None:
    folder = model_factory.echo(tmp_path / "elsewhere")
    content = (folder / "model.onnx").read_bytes()
    given = {"name": "x", "dtype": "float32", "shape": [-1, 4], **card_input}
    made = {"name": "y", "dtype": "float32", **card_output}
    executor = OnnxExecutor(tmp_path / "cards", [CPU], default_threads=1)
    model_factory.write_card(tmp_path / "cards", "echo", content, given, made)
    with pytest.raises(ModelError, match=message):
        await executor.start()
    assert executor.worker_pid is None


async def test_a_wrong_hash_stops_the_start(tmp_path: Path) -> None:
    folder = model_factory.echo(tmp_path)
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match="SHA-256"):
        async with opened(tmp_path):
            pass


async def test_a_model_that_changes_later_is_not_loaded(tmp_path: Path) -> None:
    folder = model_factory.echo(tmp_path)
    good = npz(x=np.ones((1, 4), np.float32))
    async with opened(tmp_path) as executor:
        with (folder / "model.onnx").open("ab") as file:
            file.write(b"\0")
        assert (await executor.run("echo", good, 1)).ok
        other_threads = await executor.run("echo", good, 2)
        assert "has changed since it was checked" in other_threads.error


@pytest.mark.parametrize(
    ("providers", "message"),
    [
        (["CUDAExecutionProvider", CPU], r"CUDAExecutionProvider is not in this build.*orbitnode"),
        (["NoSuchProvider"], "NoSuchProvider is not in this build"),
    ],
)
async def test_a_missing_provider_stops_the_start(
    tmp_path: Path, providers: list[str], message: str
) -> None:
    model_factory.echo(tmp_path)
    with pytest.raises(ProviderError, match=message):
        async with opened(tmp_path, providers=providers):
            pass


async def test_no_part_of_a_model_falls_back_to_the_cpu(tmp_path: Path) -> None:
    # Every CPU build has this provider, which runs no part of a network by itself.
    assert "AzureExecutionProvider" in onnxruntime.get_available_providers()
    model_factory.tiny_cnn(tmp_path)
    with pytest.raises(ProviderError, match="which is not configured"):
        async with opened(tmp_path, providers=["AzureExecutionProvider"]):
            pass


async def test_a_model_that_is_all_on_the_second_provider_is_refused(tmp_path: Path) -> None:
    # By ONNX Runtime's own word from 1.24 on, below that by its profile of one run.
    model_factory.tiny_cnn(tmp_path)
    message = "nothing of it runs on AzureExecutionProvider, everything fell back to " + CPU
    with pytest.raises(ProviderError, match=message):
        async with opened(tmp_path, providers=["AzureExecutionProvider", CPU]):
            pass


async def test_only_the_named_models_are_loaded(tmp_path: Path) -> None:
    model_factory.echo(tmp_path, "wanted")
    (model_factory.echo(tmp_path, "broken") / "model.onnx").write_bytes(b"noise")
    async with opened(tmp_path, names=["wanted"]) as executor:
        assert list(executor.models) == ["wanted"]
        assert (await executor.run("wanted", npz(x=np.ones((1, 4), np.float32)), 1)).ok


async def test_missing_onnxruntime_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_factory.echo(tmp_path)
    blocked = tmp_path / ".blocked"
    blocked.mkdir()
    (blocked / "onnxruntime.py").write_text("raise ImportError('No module named onnxruntime')\n")
    monkeypatch.setenv("PYTHONPATH", str(blocked))
    with pytest.raises(WorkerError, match=r"is not there.*pip install 'orbitnode\[cpu\]'"):
        async with opened(tmp_path):
            pass


async def test_a_worker_that_cannot_run_says_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_factory.echo(tmp_path)
    blocked = tmp_path / ".blocked"
    blocked.mkdir()
    (blocked / "onnxruntime.py").write_text("import os\nprint('dying', flush=True)\nos._exit(3)\n")
    monkeypatch.setenv("PYTHONPATH", str(blocked))
    with pytest.raises(WorkerError, match=r"did not come up \(status 3\): dying"):
        async with opened(tmp_path):
            pass


async def test_a_worker_that_never_gets_ready_is_killed(tmp_path: Path) -> None:
    model_factory.echo(tmp_path)
    with pytest.raises(WorkerError, match="status -9"):
        async with opened(tmp_path, start_timeout_s=0.01):
            pass


async def test_ten_times_killed_in_mid_run_and_back_again(tmp_path: Path) -> None:
    model_factory.slow_loop(tmp_path, seconds=20)
    model_factory.echo(tmp_path)
    good = npz(x=np.ones((1, 4), np.float32))
    async with opened(tmp_path) as executor:
        pids = set()
        cpu_s = 0.0
        for _ in range(10):
            async with TaskGroup() as group:
                run = group.create_task(executor.run("slow_loop", model_factory.ONE_FIGURE, 1))
                await until_busy(executor)
                pid = executor.worker_pid
                assert pid is not None
                pids.add(pid)
                os.kill(pid, signal.SIGKILL)
            outcome = run.result()
            assert not outcome.ok
            assert outcome.worker_killed
            assert not outcome.aborted
            assert outcome.error == "the worker died with status -9"
            assert outcome.duration_s > 0
            assert executor.worker_pid is None
            assert executor.cpu_time_s > cpu_s
            cpu_s = executor.cpu_time_s
        assert len(pids) == 10
        assert (await executor.run("echo", good, 1)).ok


async def test_a_worker_that_died_between_two_runs_is_no_failure(tmp_path: Path) -> None:
    model_factory.echo(tmp_path)
    good = npz(x=np.ones((1, 4), np.float32))
    async with opened(tmp_path) as executor:
        assert executor.worker_pid is not None
        os.kill(executor.worker_pid, signal.SIGKILL)
        await until(lambda: executor.worker_pid is None)
        assert (await executor.run("echo", good, 1)).ok


async def test_a_second_run_is_a_programming_error(tmp_path: Path) -> None:
    model_factory.slow_loop(tmp_path)
    async with opened(tmp_path) as executor, TaskGroup() as group:
        group.create_task(executor.run("slow_loop", model_factory.ONE_FIGURE, 1))
        await until_busy(executor)
        with pytest.raises(RuntimeError, match="another run"):
            await executor.run("slow_loop", b"", 1)
        await executor.abort("enough")


async def test_nothing_runs_before_the_start(tmp_path: Path) -> None:
    executor: Executor = OnnxExecutor(tmp_path, [CPU])
    outcome = await executor.run("echo", b"", 1)
    assert not outcome.ok
    assert outcome.error == "the worker is not started"
