"""The composition root: from an installation file to a running node, and back down in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import time
from pathlib import Path
from typing import Any

import msgspec

from node import __version__
from node._compat import TaskGroup, timeout
from node.board.base import Board
from node.board.external_meter import ExternalMeter
from node.board.factory import open_board
from node.board.meter_factory import open_meter
from node.board.sysfs import SysFs
from node.clock import MissionClock, epoch_utc_s
from node.config.build import build_spacecraft
from node.config.load import LoadedInstallation
from node.core.craft import Spacecraft
from node.core.emulation import EmulationState, start_state
from node.core.node import NodeCore
from node.core.payload import PayloadLimits
from node.core.protection import BoardLimits
from node.enforcement.enforcer import Enforcer
from node.enforcement.open import open_enforcer
from node.enforcement.trips import passive_trips_c
from node.hands import RealHands
from node.history import History
from node.http import HttpServer
from node.inference.base import Executor
from node.inference.factory import engine_key, open_executor
from node.inference.simulated import SimulatedExecutor, SimulatedModel
from node.loop import Loop
from node.metrics import NodeMetrics, metrics_routes
from node.notify import notify
from node.radio.mqtt import BrokerAddress, MqttConnector
from node.radio.radio import Radio
from node.store.node_store import NodeStore
from node.timeline import LiveTimeline

_log = logging.getLogger(__name__)
_SAVE_EVERY_S = 2.0
"""Real seconds between two saves of the emulation's state."""
_HEALTHY_WITHIN_S = 10.0
"""The loop is alive if its last tick is at most this many real seconds ago."""
_GOODBYE_S = 2.0


class App:
    """One running node."""

    def __init__(self, loaded: LoadedInstallation) -> None:
        self._loaded = loaded
        self._installation = loaded.installation
        self._craft = build_spacecraft(loaded.scenario, loaded.installation.board)
        self._boot_id = secrets.token_hex(4)
        self._last_tick_wall_s = time.monotonic()
        self._last_save_wall_s = float("-inf")
        self._saving = False

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            OrbitnodeError: the node cannot start; the text says why.
        """
        async with contextlib.AsyncExitStack() as resources:
            store = await self._open_store(resources)
            saved = await self._saved_state(store)
            clock = self._clock(saved)
            start = saved or start_state(self._craft)
            meter = self._meter()
            board = open_board(self._installation.board, self._loaded.scenario.board, meter)
            resources.callback(board.close)
            enforcer = await self._open_enforcer()
            resources.push_async_callback(enforcer.close)
            executor = _executor(self._loaded, self._craft, board, enforcer)
            resources.push_async_callback(executor.close)
            await executor.start()
            history = History(self._loaded.state_path / "history.jsonl")
            resources.callback(history.close)
            metrics = self._metrics()
            metrics.describe_board(board.identity)
            timeline = LiveTimeline(clock)
            core = NodeCore(
                self._craft,
                self._limits(clock.rate, enforcer),
                self._boot_id,
                start,
                timeline.now(),
            )
            metrics.snapshot = core.snapshot()
            await self._serve_http(resources, metrics)
            stop = _stop_signal()
            async with TaskGroup() as group:
                hands = RealHands(group, timeline, clock, store, executor, board, metrics, enforcer)
                radio = Radio(
                    self._installation.node,
                    self._boot_id,
                    self._connector(),
                    store,
                    timeline.post,
                    retry_s=1.0 / min(clock.rate, 10.0),
                )
                hands.attach_radio(radio)

                def after_tick(took_s: float) -> None:
                    metrics.observe_tick(took_s)
                    metrics.observe_enforcement(enforcer.report())
                    self._after_tick(core, metrics, board, store, group)

                loop = Loop(core, timeline, board, hands, history, after_tick)
                tasks = [
                    group.create_task(radio.run(), name="radio"),
                    group.create_task(loop.run(), name="loop"),
                    group.create_task(enforcer.run(), name="clock caps"),
                ]
                if meter is not None:
                    tasks.append(group.create_task(meter.run(), name="meter"))
                notify("READY=1")
                _log.info("ready node=%s boot_id=%s", self._installation.node, self._boot_id)
                await stop.wait()
                notify("STOPPING=1")
                _log.info("stopping node=%s", self._installation.node)
                # In order: stop deciding, end the run, say goodbye; what is on disk is safe.
                loop.stop()
                await hands.stop()
                radio.close()
                with contextlib.suppress(TimeoutError):
                    # A link that is gone must not hold the stop.
                    async with timeout(_GOODBYE_S):
                        await radio.silent.wait()
                await self._save(store, core.emulation_state())
                for task in tasks:
                    task.cancel()

    async def _open_store(self, resources: contextlib.AsyncExitStack) -> NodeStore:
        limits = self._installation.store
        self._loaded.state_path.mkdir(parents=True, exist_ok=True)
        store = NodeStore(
            self._loaded.state_path, max_bytes=limits.max_bytes, max_jobs=limits.max_jobs
        )
        resources.push_async_callback(store.close)
        if store.set_aside is not None:
            _log.error("store=corrupt set_aside=%s", store.set_aside)
        return store

    async def _saved_state(self, store: NodeStore) -> EmulationState | None:
        if self._installation.clock.restart == "reset":
            return None
        saved = await store.load_emulation()
        return None if saved is None else resumable(saved, self._craft)

    def _clock(self, saved: EmulationState | None) -> MissionClock:
        settings = self._installation.clock
        epoch = epoch_utc_s(self._loaded.scenario.mission.epoch)
        if settings.restart == "reset" and settings.anchor is None:
            self._loaded.anchor_path.unlink(missing_ok=True)
        start_s = 0.0 if saved is None else saved.mission_s
        return MissionClock.from_anchor(
            self._loaded.anchor_path, settings.rate, epoch, start_s=start_s
        )

    async def _open_enforcer(self) -> Enforcer:
        settings = self._installation.enforcement
        if self._installation.inference.executor == "simulated":
            return Enforcer(None, None)  # there is no process to hold back
        return await open_enforcer(settings.means, Path(settings.helper_socket))

    def _board_limits(self) -> BoardLimits:
        settings = self._installation.enforcement
        sysfs = SysFs(self._installation.board.root)
        try:
            trips_c = passive_trips_c(sysfs)
        finally:
            sysfs.close()
        return BoardLimits(trips_c, settings.die_limit_c, settings.board_sensor)

    def _limits(self, rate: float, enforcer: Enforcer) -> PayloadLimits:
        return PayloadLimits(
            max_object_bytes=self._installation.store.max_object_bytes,
            max_jobs=self._installation.store.max_jobs,
            thread_count=self._installation.inference.threads,
            converter_efficiency=self._craft.board_converter_efficiency,
            rate=rate,
            slows_runs=enforcer.slows_runs,
            board=self._board_limits(),
        )

    def _metrics(self) -> NodeMetrics:
        return NodeMetrics(
            self._installation.node,
            list(self._craft.models),
            [station.name for station in self._craft.stations],
            config_sha256=self._loaded.config_hash,
        )

    def _meter(self) -> ExternalMeter | None:
        choice = self._installation.board.meter
        if choice is None:
            return None
        return open_meter(choice, self._loaded.path.parent, self._installation.node)

    def _connector(self) -> MqttConnector:
        broker = self._installation.broker
        address = BrokerAddress(
            broker.host,
            broker.port,
            broker.keepalive_s,
            broker.username,
            self._loaded.password_path,
        )
        return MqttConnector(address, f"orbitnode-{self._installation.node}")

    async def _serve_http(self, resources: contextlib.AsyncExitStack, metrics: NodeMetrics) -> None:
        settings = self._installation.http
        routes = metrics_routes(metrics, lambda: self._status(metrics), self._healthy)
        server = HttpServer(routes, settings.host, settings.port)
        port = await server.start()
        resources.push_async_callback(server.close)
        (self._loaded.state_path / "http.port").write_text(f"{port}\n")

    def _status(self, metrics: NodeMetrics) -> bytes:
        return msgspec.json.encode(
            {
                "schema": 1,
                "node": self._installation.node,
                "version": __version__,
                "boot_id": self._boot_id,
                "config_sha256": self._loaded.config_hash,
                "snapshot": metrics.snapshot,
            }
        )

    def _healthy(self) -> bool:
        return time.monotonic() - self._last_tick_wall_s < _HEALTHY_WITHIN_S

    def _after_tick(
        self,
        core: NodeCore,
        metrics: NodeMetrics,
        board: Board,
        store: NodeStore,
        group: TaskGroup,
    ) -> None:
        wall_s = time.monotonic()
        self._last_tick_wall_s = wall_s
        metrics.snapshot = core.snapshot()
        metrics.observe_sensors(board.sensor_health())
        notify("WATCHDOG=1")
        if wall_s - self._last_save_wall_s >= _SAVE_EVERY_S and not self._saving:
            self._last_save_wall_s = wall_s
            self._saving = True
            group.create_task(self._save(store, core.emulation_state()), name="save emulation")

    async def _save(self, store: NodeStore, state: EmulationState) -> None:
        try:
            await store.save_emulation(msgspec.to_builtins(state))
        except OSError as error:  # StoreError is one: a full disk must not end the node
            _log.warning("emulation=unsaved error=%s", error)
        finally:
            self._saving = False


def resumable(saved: dict[str, Any], craft: Spacecraft) -> EmulationState | None:
    """Return a saved state if this spacecraft can go on from it, or None."""
    try:
        state = msgspec.convert(saved, EmulationState)
    except msgspec.ValidationError as error:
        _log.warning("mission=begun-anew reason=saved state of another version: %s", error)
        return None
    if len(state.temperatures_c) != len(craft.thermal_names):
        _log.warning("mission=begun-anew reason=saved state of another scenario")
        return None
    return state


def _executor(
    loaded: LoadedInstallation, craft: Spacecraft, board: Board, enforcer: Enforcer
) -> Executor:
    settings = loaded.installation.inference
    if settings.executor == "simulated":
        return SimulatedExecutor(
            {
                name: SimulatedModel(model.duration_s, model.result_bytes)
                for name, model in craft.models.items()
            }
        )
    key = engine_key(board, time.monotonic())
    return open_executor(
        settings,
        loaded.models_path,
        loaded.engine_cache_path,
        key,
        on_spawn=enforcer.place,
    )


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
