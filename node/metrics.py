"""Metrics of the node for Prometheus, and the routes that serve them.

State comes from the last snapshot, so that one scrape never mixes two steps; events are counted
where they happen, by instruments whose children exist from the start, so that a rate over the
first event is right and panels show zero where nothing happened yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

import node
from node.board.health import ReaderHealth
from node.board.identity import Identity
from node.core.snapshot import NodeSnapshot
from node.enforcement.enforcer import EnforcementReport
from node.http import Handler, Request, Response, json_response
from node.snapshot_collector import SnapshotCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OUTCOMES = ("ok", "failed", "aborted")
_INFERENCE_BUCKETS_S = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
)
_STOP_BUCKETS_S = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_TICK_BUCKETS_S = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)


class NodeMetrics:
    """Everything that one node exports, in a registry of its own."""

    def __init__(
        self,
        node_id: str,
        model_names: Sequence[str],
        station_names: Sequence[str],
        *,
        config_sha256: str = "",
    ) -> None:
        """Create every series whose labels are known.

        Args:
            node_id: value of the ``node_id`` label.
            model_names: the models that this node can run.
            station_names: the ground stations of the scenario.
            config_sha256: hash of the configuration that runs; empty for none.
        """
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left it untyped
        self.registry = CollectorRegistry(auto_describe=False)
        self._node_id = node_id
        self._collector = SnapshotCollector(node_id, station_names)
        self.registry.register(self._collector)
        ProcessCollector(registry=self.registry)
        self._information("build_info", "The software that runs", node_id, version=node.__version__)
        if config_sha256:
            self._information(
                "config_info", "The configuration that runs", node_id, sha256=config_sha256
            )
        durations = self._histogram(
            "inference_duration_seconds",
            "Wall time of an inference that ended well",
            _INFERENCE_BUCKETS_S,
            ("model",),
        )
        inferences = Counter(
            "orbitnode_inferences_total",
            "Inferences by outcome",
            ("node_id", "model", "outcome"),
            registry=self.registry,
        )
        energy = Counter(
            "orbitnode_inference_energy_joules_total",
            "Drawn by inferences above the idle draw, whatever their outcome",
            ("node_id", "model"),
            registry=self.registry,
        )
        self._durations = {name: durations.labels(node_id, name) for name in model_names}
        self._energy = {name: energy.labels(node_id, name) for name in model_names}
        self._inferences = {
            (name, outcome): inferences.labels(node_id, name, outcome)
            for name in model_names
            for outcome in OUTCOMES
        }
        self._stops = self._histogram(
            "inference_stop_latency_seconds",
            "From the decision to stop an inference to the proof that it stopped",
            _STOP_BUCKETS_S,
        ).labels(node_id)
        self._ticks = self._histogram(
            "tick_duration_seconds", "Wall time of one step of the loop", _TICK_BUCKETS_S
        ).labels(node_id)

    @property
    def snapshot(self) -> NodeSnapshot | None:
        """The picture that the next scrape shows."""
        return self._collector.snapshot

    @snapshot.setter
    def snapshot(self, snapshot: NodeSnapshot) -> None:
        self._collector.snapshot = snapshot

    def observe_inference(
        self, model: str, outcome: str, duration_s: float, energy_j: float
    ) -> None:
        """Count an inference that ended.

        Raises:
            KeyError: a model or an outcome that this node does not have.
        """
        self._inferences[model, outcome].inc()
        self._energy[model].inc(max(0.0, energy_j))
        if outcome == "ok":
            self._durations[model].observe(duration_s)

    def observe_stop(self, latency_s: float) -> None:
        """Count an inference that was stopped."""
        self._stops.observe(latency_s)

    def observe_tick(self, duration_s: float) -> None:
        """Count one step of the loop."""
        self._ticks.observe(duration_s)

    def observe_sensors(self, health: Iterable[ReaderHealth]) -> None:
        """Take how the last read of the board went."""
        self._collector.health = tuple(health)

    def describe_board(self, identity: Identity) -> None:
        """Name the board, as far as its files say which it is."""
        self._information(
            "board_info",
            "The real board",
            self._node_id,
            family=identity.family,
            model="" if identity.model is None else identity.model.text,
            soc="" if identity.soc is None else identity.soc.text,
        )

    def observe_enforcement(self, report: EnforcementReport) -> None:
        """Take what became of what is to be held back."""
        self._collector.enforcement = report

    def render(self) -> bytes:
        """Render everything as Prometheus text, version 0.0.4."""
        return generate_latest(self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()
    ) -> Histogram:
        return Histogram(
            f"orbitnode_{name}",
            text,
            ("node_id", *labels),
            buckets=buckets,
            registry=self.registry,
        )

    def _information(self, name: str, text: str, node_id: str, **labels: str) -> None:
        gauge = Gauge(
            f"orbitnode_{name}", f"{text}; always 1", ("node_id", *labels), registry=self.registry
        )
        gauge.labels(node_id, *labels.values()).set(1)


def metrics_routes(
    metrics: NodeMetrics, status: Callable[[], bytes], healthy: Callable[[], bool]
) -> dict[tuple[str, str], Handler]:
    """Routes of the node's HTTP server.

    Args:
        metrics: what ``/metrics`` shows.
        status: gives the JSON text of ``/status``.
        healthy: decides whether ``/healthz`` answers 200 or 503.
    """

    async def get_metrics(_request: Request) -> Response:
        return Response(200, metrics.render(), CONTENT_TYPE)

    async def get_health(_request: Request) -> Response:
        good = healthy()
        return json_response({"healthy": good}, 200 if good else 503)

    async def get_status(_request: Request) -> Response:
        return Response(200, status())

    return {
        ("GET", "/metrics"): get_metrics,
        ("GET", "/healthz"): get_health,
        ("GET", "/status"): get_status,
    }
