"""Upsets by energetic particles: counted where the board has power, drawn from the scenario's seed.

Modelled: a memory upset is a number, no bit of a real result is changed by it. A functional
interrupt is more, the worker is killed for it as by a fault of the scenario. Without power nothing
is upset: memory holds nothing and the device does nothing. Two nodes that fly the same scenario are
struck alike.
"""

from __future__ import annotations

from msgspec import Struct

from node.physics.draws import hazard_to_event, run_down, uniform
from node.physics.radiation import Exposure, RadiationSpec, exposure
from node.physics.vectors import Vector

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

    exposure: Exposure
    """At the present place, with or without power."""

    def __init__(
        self, spec: RadiationSpec, start: UpsetState, r_ecef_km: Vector, utc_s: float
    ) -> None:
        self._spec = spec
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
        self.exposure = exposure(spec, r_ecef_km, utc_s)

    @property
    def memory_upsets(self) -> int:
        """Corrected or not."""
        return self.corrected + self.uncorrected

    def advance(self, r_ecef_km: Vector, utc_s: float, step_s: float, *, powered: bool) -> None:
        """Let a step pass, at the mean of the rates at its two ends.

        Args:
            r_ecef_km: where the step ends.
            utc_s: when it ends, POSIX seconds.
            step_s: how long it was.
            powered: the board had power.
        """
        spec = self._spec
        begin, self.exposure = self.exposure, exposure(spec, r_ecef_km, utc_s)
        if not powered:
            return
        end, half_s = self.exposure, 0.5 * step_s
        before = self.memory_upsets
        struck, self._memory_hazard = run_down(
            self._memory_hazard,
            (begin.memory_upsets_per_s + end.memory_upsets_per_s) * half_s,
            spec.seed,
            _MEMORY,
            before,
        )
        for number in range(before, before + struck):
            mended = uniform(spec.seed, _CORRECTION, number) < spec.corrected_ratio
            self.corrected += mended
            self.uncorrected += not mended
        interrupts, self._device_hazard = run_down(
            self._device_hazard,
            (begin.device_interrupts_per_s + end.device_interrupts_per_s) * half_s,
            spec.seed,
            _DEVICE,
            self.interrupts,
        )
        self.interrupts += interrupts

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
