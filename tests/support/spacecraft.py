"""A small satellite in literal figures, and a core that a test flies by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any, TypeVar

from node.core import events
from node.core.almanac import Almanac
from node.core.contacts import Contact
from node.core.craft import ModelFigures, Spacecraft
from node.core.effects import Effect
from node.core.emulation import EmulationState
from node.core.events import Event, PowerReading, Readings, Source, StoredJob
from node.core.modes import OperatingMode, Thresholds
from node.core.node import NodeCore
from node.core.payload import PayloadLimits
from node.icd import Held, Hello, InferenceReport, JobSpec, Manifest, Priority, Span
from node.physics.array import Panel
from node.physics.battery import BatterySpec
from node.physics.linkbudget import ChannelBudget
from node.physics.orbit import Orbit
from node.physics.passes import Station
from node.physics.thermal import Link, Node, ThermalSpec

EPOCH_UTC_S = 1_742_470_200.0
"""2025-03-20T11:30:00Z."""
MASPALOMAS = Station("maspalomas", 27.7629, -15.6338, 0.205, 5.0)
SVALBARD = Station("svalbard", 78.2297, 15.4075, 0.498, 5.0)
THRESHOLDS = Thresholds(
    reduced_below_soc=0.5,
    nominal_above_soc=0.6,
    safe_below_soc=0.35,
    reduced_above_soc=0.45,
    off_below_soc=0.15,
    boot_above_soc=0.3,
    reduced_above_board_c=75.0,
    nominal_below_board_c=65.0,
    safe_above_board_c=85.0,
    reduced_below_board_c=75.0,
)
MODEL = "clouds"
IDLE_W = 4.5
ACTIVE_W = 15.0
BATTERY = BatterySpec(
    2,
    4,
    2.9,
    0.06,
    (0.0, 0.2, 0.5, 1.0),
    (3.0, 3.56, 3.73, 4.19),
    4.2,
    0.5,
    0.99,
    0.0,
    0.0,
    5.6,
)


def spacecraft(**changes: Any) -> Spacecraft:
    """Make a satellite at 550 km: Maspalomas from 131 s to 713 s, umbra from 2666 s to 4704 s."""
    craft = Spacecraft(
        name="test",
        epoch_utc_s=EPOCH_UTC_S,
        tick_s=1.0,
        orbit=Orbit.from_sso(550.0, 22.5, 0.0005, 126.0, EPOCH_UTC_S),
        attitude="sun",
        panels=(
            Panel("wing", "fixed", (0.0, 0.0, 1.0), 0.12, 0.9, 0.295, -0.0022, 60.0, 0.025, 0.5),
        ),
        array_to_bus_ratio=0.931,
        board_converter_efficiency=0.92,
        bus_load_w=5.0,
        off_load_w=0.3,
        transmitter_load_w=8.0,
        battery=BATTERY,
        ageing=None,
        initial_soc=0.9,
        battery_node=1,
        thermal=ThermalSpec(
            (Node("board", 180.0), Node("structure", 6000.0)), (Link(("board", "structure"), 3.0),)
        ),
        thermal_names=("board", "structure"),
        initial_temperatures_c=(15.0, 15.0),
        board_node=0,
        bus_node=1,
        board_capacity_j_per_k=180.0,
        earth_infrared_w_per_m2=237.0,
        albedo_ratio=0.3,
        stations=(MASPALOMAS, SVALBARD),
        uplink=ChannelBudget(2.05, 30.0, -28.0, 3.0, 0.04, 540_000.0, 0.35, 3.0, 2e6),
        downlink=ChannelBudget(2.2, 8.0, 8.0, 3.0, 0.04, 1_500_000.0, 0.35, 3.0, 5e6),
        acquisition_s=15.0,
        stop_before_los_s=5.0,
        thresholds=THRESHOLDS,
        reduced_power_ceiling_w=8.0,
        boot_s=20.0,
        board_idle_w=IDLE_W,
        board_active_w=ACTIVE_W,
        throttle=None,
        models={MODEL: ModelFigures(0.6, 30.0, 2000, ACTIVE_W)},
        radiation=None,
        faults=(),
    )
    return replace(craft, **changes)


def limits(**changes: Any) -> PayloadLimits:
    """Make generous limits of the payload computer."""
    return replace(PayloadLimits(1 << 20, 100, 2, 0.92, 1.0), **changes)


def start(soc: float = 0.9, mode: str = "boot", **changes: Any) -> EmulationState:
    """Make the state in which a flight begins."""
    return EmulationState(0.0, soc, (15.0, 15.0), mode, 0, **changes)


def offer(
    job_id: str,
    size_bytes: int = 1000,
    *,
    content: str | None = None,
    model: str = MODEL,
    priority: int = 3,
    deadline_s: float | None = None,
) -> Manifest:
    """Name a job's input; jobs with the same ``content`` share their bytes."""
    return Manifest(
        object_id=sha256((content or job_id).encode()).hexdigest(),
        size_bytes=size_bytes,
        job=JobSpec(job_id, model, Priority(priority), deadline_s),
    )


def report(energy_j: float = 6.0, duration_s: float = 0.6, model: str = MODEL) -> InferenceReport:
    """Say how a run went."""
    return InferenceReport(
        model=model,
        model_sha256="0" * 64,
        provider="test",
        duration_s=duration_s,
        inference_s=duration_s,
        energy_j=energy_j,
        energy_source="modelled",
        started_s=0.0,
        finished_s=duration_s,
    )


def result_of(job: Manifest, size_bytes: int = 2000) -> Manifest:
    """Name a job's result."""
    return Manifest(
        object_id=sha256(f"result {job.job.job_id}".encode()).hexdigest(),
        size_bytes=size_bytes,
        job=job.job,
        report=report(),
    )


class ScriptedAlmanac(Almanac):
    """Contacts and sunlight as the test says, in literal times."""

    def __init__(self, craft: Spacecraft, contacts: Iterable[tuple[float, float]] = ()) -> None:
        super().__init__(craft)
        self._contacts = tuple(
            Contact(SVALBARD, aos_s, (aos_s + los_s) / 2, los_s, 60.0, aos_s + craft.acquisition_s)
            for aos_s, los_s in contacts
        )
        self._planned_until_s = float("inf")
        self.lit_again_s: float | None = None

    def sunlight(self, now: float) -> tuple[float | None, float | None]:  # noqa: ARG002 - literal
        return None, self.lit_again_s


class _Core(NodeCore):
    """A core whose link has the rates that the test says, while there is a contact."""

    rates_bps = (80_000.0, 80_000.0)

    def link_rates_bps(self) -> tuple[float, float]:
        return (0.0, 0.0) if self.comms.contact is None else self.rates_bps


AnyEffect = TypeVar("AnyEffect", bound=Effect)


class Flight:
    """Flies a core by hand: a board that draws ``board_w``, a ground that is the test itself."""

    def __init__(
        self,
        contacts: Iterable[tuple[float, float]] = (),
        *,
        craft: Spacecraft | None = None,
        begin: EmulationState | None = None,
        payload_limits: PayloadLimits | None = None,
    ) -> None:
        craft = craft or spacecraft()
        self.core = _Core(craft, payload_limits or limits(), "test", begin or start())
        self.almanac = ScriptedAlmanac(craft, contacts)
        self.core.almanac = self.almanac
        self.board_w = IDLE_W
        self.now = 0.0
        self.log: list[Effect] = list(self.core.start())
        self._energy_j = 0.0
        self._read_s = 0.0

    def tell(self, event: Event, now: float | None = None) -> list[Effect]:
        """Give the core one event and return what it wants done."""
        self.now = self.now if now is None else now
        done = self.core.handle(event, self.now)
        self.log += done
        return done

    def tick(self, now: float) -> list[Effect]:
        """Let time come."""
        self._energy_j += self.board_w * (now - self._read_s)
        self._read_s = now
        power = PowerReading(self.board_w, self._energy_j, now, 0.0, Source.MEASURED, "board")
        return self.tell(events.Tick(Readings(power)), now)

    def fly(self, until_s: float) -> list[Effect]:
        """Tick as the core asks, up to and with ``until_s``; return all that it wants done."""
        done: list[Effect] = []
        while self.core.next_deadline() <= until_s:
            done += self.tick(max(self.now, self.core.next_deadline()))
        return done

    def boot(self, *jobs: StoredJob) -> None:
        """Answer the boot's Restore and fly until the boot is over and the charge has lifted it."""
        self.tell(events.Restored(jobs))
        self.fly(self.now + self.core.craft.boot_s + 2.0)

    def meet(self, *held: tuple[str, tuple[Span, ...]]) -> list[Effect]:
        """Connect and exchange hellos; the ground holds what is said."""

        done = self.tell(events.LinkUp())
        open_objects = [Held(object_id, list(spans)) for object_id, spans in held]
        return done + self.tell(events.HelloReceived(Hello("ground-1", self.now, open_objects)))

    def take(self, manifest: Manifest) -> None:
        """Offer a job and put it and its whole input on disk."""
        self.tell(events.ManifestReceived(manifest))
        self.tell(events.ManifestStored(manifest, "received", (), known=False))
        whole = (0, manifest.size_bytes)
        self.tell(events.ChunkStored(manifest.object_id, whole, complete=True))

    @property
    def mode(self) -> OperatingMode:
        """The present mode."""
        return self.core.mode

    @property
    def states(self) -> dict[str, int]:
        """Jobs by state, without the empty ones."""
        return {key: count for key, count in self.core.payload.jobs.counts().items() if count}


def only(kind: type[AnyEffect], done: Iterable[Effect]) -> list[AnyEffect]:
    """Pick the effects of one kind."""
    return [effect for effect in done if isinstance(effect, kind)]
