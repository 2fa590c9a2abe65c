"""Upsets by energetic particles: counted where the board has power, drawn from the scenario's seed.

Modelled: a memory upset is a number, no bit of a real result is changed by it. A functional
interrupt is more, the worker is killed for it as by a fault of the scenario. Without power nothing
is upset: memory holds nothing and the device does nothing. Two nodes that fly the same scenario are
struck alike.
"""

from __future__ import annotations

from msgspec import Struct

from node.physics.draws import hazard_to_event, run_down, uniform
from node.physics.exposure_track import ExposureTrack
from node.physics.radiation import SAA_FLUX_PER_CM2_S, Exposure, RadiationSpec

# Each process draws from a stream of its own.
_MEMORY, _CORRECTION, _DEVICE = range(3)


class UpsetState(Struct, frozen=True):
    """What survives a restart of the daemon."""

    corrected: int = 0
    """Memory upsets that error correction has mended."""
    uncorrected: int = 0
    """Memory upsets that it could not mend."""
    interrupts: int = 0
    """Functional interrupts of the device."""
    memory_hazard: float | None = None
    """Expected upsets yet to pass until the next one comes; None before the first step."""
    device_hazard: float | None = None


class Upsets:
    """What particles do at the present place, and what they have done."""

    def __init__(
        self, spec: RadiationSpec, track: ExposureTrack, start: UpsetState, utc_s: float
    ) -> None:
        self._spec = spec
        self._track = track
        self._utc_s = utc_s
        self.corrected = start.corrected
        self.uncorrected = start.uncorrected
        self.interrupts = start.interrupts
        self._memory_hazard = (
            hazard_to_event(spec.seed, _MEMORY, self.memory_upsets)
            if start.memory_hazard is None
            else start.memory_hazard
        )
        self._device_hazard = (
            hazard_to_event(spec.seed, _DEVICE, self.interrupts)
            if start.device_hazard is None
            else start.device_hazard
        )
        self._reported = (self.uncorrected, self.interrupts)
        self.expected_memory_upsets = 0.0
        self.expected_interrupts = 0.0
        """By the rates, since the daemon started."""

    @property
    def exposure(self) -> Exposure:
        """At the present place, with or without power."""
        return self._track.at(self._utc_s)

    @property
    def in_anomaly(self) -> bool:
        """In the South Atlantic Anomaly."""
        return self.exposure.proton_flux_per_cm2_s > SAA_FLUX_PER_CM2_S

    @property
    def memory_upsets(self) -> int:
        """Corrected or not."""
        return self.corrected + self.uncorrected

    def advance(self, utc_s: float, *, powered: bool) -> None:
        """Let time pass.

        Args:
            utc_s: POSIX seconds, later than the present.
            powered: the board had power.
        """
        since_utc_s, self._utc_s = self._utc_s, utc_s
        if not powered:
            return
        memory, device = self._track.expected(since_utc_s, utc_s)
        self.expected_memory_upsets += memory
        self.expected_interrupts += device
        # Most steps end before the next event: then nothing has to be drawn.
        if memory < self._memory_hazard:
            self._memory_hazard -= memory
        else:
            self._strike_memory(memory)
        if device < self._device_hazard:
            self._device_hazard -= device
        else:
            interrupts, self._device_hazard = run_down(
                self._device_hazard, device, self._spec.seed, _DEVICE, self.interrupts
            )
            self.interrupts += interrupts

    def _strike_memory(self, hazard: float) -> None:
        spec, before = self._spec, self.memory_upsets
        struck, self._memory_hazard = run_down(
            self._memory_hazard, hazard, spec.seed, _MEMORY, before
        )
        for number in range(before, before + struck):
            mended = uniform(spec.seed, _CORRECTION, number) < spec.corrected_ratio
            self.corrected += mended
            self.uncorrected += not mended

    @property
    def has_news(self) -> bool:
        """There is something that ``take_news`` has not told yet."""
        return self._reported != (self.uncorrected, self.interrupts)

    def take_news(self) -> tuple[int, int]:
        """Return the uncorrected memory upsets and the interrupts since this was last asked."""
        uncorrected, interrupts = self._reported
        self._reported = (self.uncorrected, self.interrupts)
        return self.uncorrected - uncorrected, self.interrupts - interrupts

    def state(self) -> UpsetState:
        """Return what survives a restart of the daemon."""
        return UpsetState(
            corrected=self.corrected,
            uncorrected=self.uncorrected,
            interrupts=self.interrupts,
            memory_hazard=self._memory_hazard,
            device_hazard=self._device_hazard,
        )
