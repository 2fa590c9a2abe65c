"""The daemon's client of the privileged helper, against the real process and against worse ones."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from board_tree import copy_board
from governor_process import OWN_USER, Governor

from node._compat import TaskGroup, timeout
from node.errors import GovernorGoneError, GovernorRefusedError, OrbitnodeError
from node.limits import client as module
from node.limits.client import GovernorClient, NoGovernor

PATIENCE_S = 10.0


@pytest.fixture
def governor(tmp_path: Path) -> Iterator[Governor]:
    governor = Governor(copy_board("jetson-orin-nano", tmp_path), tmp_path)
    yield governor
    governor.close()


async def connected(path: Path) -> GovernorClient:
    client = await GovernorClient.connect(path)
    assert isinstance(client, GovernorClient), client
    return client


@pytest.fixture
async def client(governor: Governor) -> AsyncIterator[GovernorClient]:
    governor.start()
    client = await connected(governor.socket_path)
    yield client
    await client.close()


async def until_as_found(governor: Governor) -> None:
    async with timeout(PATIENCE_S):
        while not governor.as_found:  # noqa: ASYNC110 - files of another process tell nobody
            await asyncio.sleep(0.005)


async def test_each_verb_reaches_the_board(governor: Governor, client: GovernorClient) -> None:
    names = [knob.knob for knob in (await client.describe()).knobs]
    assert names == ["cpu:0", "cpu:4", "gpu", "emc"]
    assert [outcome.written for outcome in await client.cap_cpu(600_000)] == [576_000, 576_000]
    assert [outcome.written for outcome in await client.cap_cpu(400_000, 4)] == [345_600]
    assert (await client.cap_gpu(500_000_000))[0].read_back == 408_000_000
    assert (await client.cap_emc(700_000_000))[0].read_back == 665_600_000
    with pytest.raises(GovernorRefusedError) as refused:
        await client.cap_package_power(10_000_000)
    assert refused.value.code == "unknown_knob"
    assert await client.heartbeat() == ["cpu:0", "cpu:4", "emc", "gpu"]
    assert len(await client.release("cpu", 4)) == 2
    assert len(await client.release("gpu")) == 1
    assert await client.heartbeat() == ["cpu:0", "emc"]
    await client.release()
    assert governor.as_found


async def test_many_requests_at_once_get_each_their_answer(client: GovernorClient) -> None:
    async with TaskGroup() as tasks:
        caps = [tasks.create_task(client.cap_cpu(khz)) for khz in range(600_000, 620_000, 1000)]
        knobs = [tasks.create_task(client.describe()) for _ in range(5)]
    assert [task.result()[0].asked for task in caps] == list(range(600_000, 620_000, 1000))
    assert all(len(task.result().knobs) == 4 for task in knobs)


async def test_a_refusal_is_an_error_with_its_reason(
    governor: Governor, client: GovernorClient
) -> None:
    with pytest.raises(GovernorRefusedError) as refused:
        await client.cap_gpu(919_000_000)
    assert refused.value.code == "above_baseline"
    assert isinstance(refused.value, OrbitnodeError)
    await client.cap_gpu(918_000_000 - 1)
    second = await connected(governor.socket_path)
    with pytest.raises(GovernorRefusedError) as refused:
        await second.cap_cpu(600_000)
    assert refused.value.code == "busy"
    assert refused.value.holder == f"pid {os.getpid()}, uid {os.geteuid()}"
    await second.close()


async def test_closing_restores(governor: Governor, client: GovernorClient) -> None:
    await client.cap_cpu(600_000)
    await client.close()
    await until_as_found(governor)
    with pytest.raises(GovernorGoneError, match="closed"):
        await client.describe()


async def test_the_lease_is_kept_while_something_is_capped(governor: Governor) -> None:
    governor.start("--lease-s", "0.4")
    client = await connected(governor.socket_path)
    with contextlib.suppress(asyncio.CancelledError):
        async with TaskGroup() as tasks:
            beating = tasks.create_task(client.keep_alive())
            await client.cap_cpu(600_000)
            await asyncio.sleep(1.0)
            assert not governor.as_found
            await client.release()
            await asyncio.sleep(0.3)
            await client.cap_cpu(600_000)
            await asyncio.sleep(1.0)
            assert not governor.as_found
            assert not beating.done()
            beating.cancel()
    await until_as_found(governor)
    with pytest.raises(GovernorRefusedError) as refused:
        await client.heartbeat()
    assert refused.value.code == "no_lease"
    await client.close()


async def test_a_helper_that_dies_is_an_error_once(
    governor: Governor, client: GovernorClient
) -> None:
    await client.cap_cpu(600_000)
    governor.stop(signal.SIGKILL)
    with pytest.raises(GovernorGoneError):
        await client.keep_alive()
    with pytest.raises(GovernorGoneError):
        await client.cap_cpu(600_000)
    assert governor.restore() == 0
    assert governor.as_found


async def test_a_cancelled_request_is_not_answered_with_another(
    governor: Governor, client: GovernorClient
) -> None:
    assert governor.process is not None
    governor.process.send_signal(signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        async with timeout(0.05):
            await client.cap_cpu(600_000)
    governor.process.send_signal(signal.SIGCONT)
    with pytest.raises(GovernorGoneError, match="cancelled"):
        await client.describe()
    await until_as_found(governor)


async def test_a_helper_that_is_not_installed_is_a_finding(tmp_path: Path) -> None:
    absent = await GovernorClient.connect(tmp_path / "none.sock")
    assert isinstance(absent, NoGovernor)
    assert "not installed" in absent.reason


async def test_a_socket_that_nobody_serves_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    assert await GovernorClient.connect(path) == NoGovernor(f"nobody listens at {path}")
    too_long = await GovernorClient.connect(tmp_path / ("x" * 200))
    assert isinstance(too_long, NoGovernor)


async def test_a_user_who_is_not_served_is_a_finding(governor: Governor) -> None:
    governor.start(user="nobody" if OWN_USER != "nobody" else "root")
    # The helper hangs up before it is asked; what it said is heard all the same.
    for _ in range(20):
        absent = await GovernorClient.connect(governor.socket_path)
        assert isinstance(absent, NoGovernor)
        assert "forbidden" in absent.reason


@contextlib.asynccontextmanager
async def impostor(path: Path, *answers: bytes) -> AsyncIterator[None]:
    """Answer requests with what is given, then hang up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readline()
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


DESCRIBED = b'{"answer":"described","knobs":[],"left_out":[],"lease_s":10.0}\n'


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "hung up"),
        (b'{"answer":"alive"', "hung up"),
        (b"garbage\n", "an answer that is none"),
        (b'{"answer":"alive","held":[]}\n', "wrong kind"),
        (DESCRIBED + DESCRIBED, "an answer that is none"),
        (b" " * (module.MAX_ANSWER_BYTES + 1), "above"),
    ],
)
async def test_what_is_no_helper_is_a_finding(answer: bytes, reason: str, tmp_path: Path) -> None:
    async with impostor(tmp_path / "sock", answer):
        absent = await GovernorClient.connect(tmp_path / "sock")
    assert isinstance(absent, NoGovernor)
    assert reason in absent.reason


async def test_a_helper_that_never_answers_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.1)
    path = tmp_path / "mute.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mute:
        mute.bind(str(path))
        mute.listen()
        absent = await GovernorClient.connect(path)
    assert isinstance(absent, NoGovernor)
    assert "no answer within 0.1 s" in absent.reason
