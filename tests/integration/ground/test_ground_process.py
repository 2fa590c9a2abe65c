from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from fake_node import FakeNode, chunk_of, fake_node, object_id_of, result_of
from mosquitto import mosquitto

from groundlink.client import GroundClient
from node.icd import Hello, JobSpec, Manifest, Receipt
from node.transfer.ranges import RangeSet

ROOT = Path(__file__).parents[3]
SCENARIO = ROOT / "scenarios" / "demo.toml"
STEP = 30_000
KILLS = 6


def groundlink(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "groundlink", *arguments]


@contextmanager
def daemon(folder: Path, broker_port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the daemon; yield its process and address once it takes jobs."""
    command = groundlink(
        *("ground", "--scenario", str(SCENARIO), "--state", str(folder / "state")),
        *("--broker", f"127.0.0.1:{broker_port}", "--http", "127.0.0.1:0"),
    )
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr is not None
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if "READY" in line:
                    break
            else:
                pytest.fail("".join(said))
            yield process, said[-1].split()[-1]
        finally:
            process.kill()


@pytest.fixture
def broker_port(tmp_path: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with mosquitto(tmp_path, port):
        yield port


async def send_part(node: FakeNode, job: JobSpec, data: bytes, chunks: int) -> bool:
    """Announce a result and send what the ground lacks, some chunks of it; is it whole there?"""
    await node.say(result_of(job, data))
    receipt = await node.hear(Receipt)
    held = RangeSet(receipt.held)
    for _ in range(chunks):
        gap = held.first_gap(len(data), STEP)
        if receipt.complete or gap is None:
            break
        await node.say(chunk_of(data, *gap))
        receipt = await node.hear(Receipt)
        before, held = held, RangeSet(receipt.held)
        assert receipt.complete or all(held.covers(*span) for span in before.spans)
    return receipt.complete


async def test_kill_9_loses_no_job_and_no_result(tmp_path: Path, broker_port: int) -> None:
    source = Random(7)
    inputs = {f"job-{n}": source.randbytes(50_000) for n in range(KILLS)}
    results = {job_id: source.randbytes(100_000) for job_id in inputs}
    done: set[str] = set()
    for round_number, job_id in enumerate([*inputs, "last"]):
        with daemon(tmp_path, broker_port) as (process, url):
            client = GroundClient(url)
            if job_id in inputs:
                await asyncio.to_thread(
                    client.submit, inputs[job_id], node="node-1", model="clouds", job_id=job_id
                )
            async with fake_node(broker_port, boot_id=f"b{round_number}") as node:
                open_jobs = [name for name in list(inputs)[: round_number + 1] if name not in done]
                await node.say_hello(*(object_id_of(results[name]) for name in open_jobs))
                hello = await node.hear(Hello)
                offers = {}
                for _ in open_jobs:
                    manifest = await node.hear(Manifest)
                    offers[manifest.job.job_id] = manifest
                assert sorted(offers) == sorted(open_jobs)
                # What the last ground gave receipts for, this one holds.
                assert len(hello.open) == (1 if round_number > 0 else 0)
                for name in open_jobs:
                    chunks = 2 if name == job_id else 10
                    if await send_part(node, offers[name].job, results[name], chunks):
                        done.add(name)
                # In the middle of a write.
                await node.say(chunk_of(results.get(job_id, b"?"), 60_000, 90_000))
                process.send_signal(signal.SIGKILL)
    assert done == set(inputs)
    with daemon(tmp_path, broker_port) as (process, url):
        client = GroundClient(url)
        assert [job.state for job in client.jobs()] == ["delivered"] * KILLS
        assert sorted(result.job_id for result in client.results()) == sorted(inputs)
        for job_id, data in results.items():
            assert client.result(job_id) == data
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


async def test_the_commands_from_submission_to_file(tmp_path: Path, broker_port: int) -> None:
    tile = tmp_path / "tile.npz"
    tile.write_bytes(b"tile" * 10_000)
    with daemon(tmp_path, broker_port) as (_, url):
        environment = {**os.environ, "GROUNDLINK_URL": url}

        async def run(*arguments: str) -> tuple[int, str]:
            process = await asyncio.create_subprocess_exec(
                *groundlink(*arguments),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=ROOT,
                env=environment,
            )
            out, _ = await process.communicate()
            status = process.returncode
            assert status is not None
            return status, out.decode()

        async def serve(node: FakeNode) -> None:
            await node.say_hello()
            for _ in range(2):
                manifest = await node.hear(Manifest)
                if manifest.job.job_id == "good":
                    await node.deliver(manifest.job, b"result")
                else:
                    await node.acknowledge("bad", "failed", "tensor")

        submit = ("submit", str(tile), "--node", "node-1", "--model", "clouds", "--wait")
        async with fake_node(broker_port) as node:
            serving = asyncio.ensure_future(serve(node))
            assert await run(*submit, "--job-id", "good") == (
                0,
                "good  submitted\ngood  delivered\n",
            )
            status, out = await run(*submit, "--job-id", "bad", "--json")
            assert status == 1
            assert [json.loads(line)["state"] for line in out.splitlines()] == [
                "submitted",
                "failed",
            ]
            await serving
            status, out = await run("status")
            assert "node-1  online" in out
        status, out = await run("jobs")
        assert [line.split()[:5] for line in out.splitlines()[1:]] == [
            ["good", "node-1", "clouds", "normal", "delivered"],
            ["bad", "node-1", "clouds", "normal", "failed"],
        ]
        folder = tmp_path / "fetched"
        status, out = await run("results", "--out", str(folder), "--json")
        assert json.loads(out)["report"]["energy_j"] == 5.0
        assert [path.name for path in folder.iterdir()] == ["good.npz"]
        assert (folder / "good.npz").read_bytes() == b"result"
        status, out = await run("submit", "none.npz", "--node", "node-1", "--model", "clouds")
        assert (status, out) == (1, "groundlink submit: none.npz: No such file or directory\n")
