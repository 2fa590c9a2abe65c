"""NVIDIA data-centre GPUs, as a part of a board and as its meter of power."""

from __future__ import annotations

from typing import Any

from node.board.health import Failures
from node.board.meter import MeterSample
from node.board.nvml import Gpu, find_gpus
from node.board.parts import Draft
from node.board.rapl import RaplMeter
from node.board.temperatures import PLAUSIBLE_C
from node.core.events import ClockReading, RailReading, Source, TemperatureReading, ThrottleReading


class NvidiaGpus:
    """Temperatures, clocks, utilisation, throttling and power limits of every GPU of the node."""

    name = "nvml"

    def __init__(self, module: Any | None = None, indices: list[int] | None = None) -> None:  # noqa: ANN401 - no stubs
        """Open NVML.

        Args:
            module: stands in for ``pynvml`` in tests.
            indices: which GPUs; None for all.

        Raises:
            BoardError: there is no GPU that can be read; the text says why.
        """
        self._found = find_gpus(module, indices)
        self.gpus = self._found.gpus

    def find(self) -> None:
        """Nothing to look for: devices keep their handles."""

    def read(self, draft: Draft) -> bool:
        """Fill in what each GPU tells."""
        busy: list[float] = []
        limits: list[float] = []
        reasons: list[frozenset[str]] = []
        for gpu in self.gpus:
            _add_temperature(draft, gpu.name, gpu.temperature_c())
            _add_temperature(draft, f"{gpu.name}-memory", gpu.memory_temperature_c())
            _add_clock(draft, gpu.name, gpu.clock_hz())
            _add_clock(draft, f"{gpu.name}-memory", gpu.memory_clock_hz())
            utilisation_ratio = gpu.utilisation_ratio()
            if utilisation_ratio is not None:
                busy.append(utilisation_ratio)
            limit_w = gpu.power_limit_w()
            if limit_w is not None:
                limits.append(limit_w)
            throttled_by = gpu.throttled_by()
            if throttled_by is not None:
                reasons.append(throttled_by)
        if busy:
            draft.gpu_utilisation_ratio = sum(busy) / len(busy)
        if len(limits) == len(self.gpus):
            draft.power_limit_w = sum(limits)
        if reasons:
            draft.throttles += [
                ThrottleReading(reason, active=any(reason in each for each in reasons))
                for reason in self._found.library.reasons
            ]
        names = {gpu.name for gpu in self.gpus}
        dies = [each.temperature_c for each in draft.temperatures if each.sensor in names]
        draft.die_c = max(dies, default=None)
        return self._found.failures.ok

    def close(self) -> None:
        """Close NVML."""
        self._found.library.close()


class _GpuMeter:
    """Joules of one GPU since it was opened."""

    def __init__(self, gpu: Gpu) -> None:
        self.name = gpu.name
        self.energy_j = 0.0
        self._gpu = gpu
        self._wall_s: float | None = None
        self._power_w = 0.0
        self._counted_j: float | None = None

    def step(self, wall_s: float) -> float | None:
        """Count up to now; return the power, or None where the GPU tells none now."""
        power_w = self._gpu.power_w()
        counted_j = self._gpu.energy_j()
        if power_w is None or (counted_j is None and self._counted_j is not None):
            return None
        if self._wall_s is not None:
            integral_j = 0.5 * (self._power_w + power_w) * max(0.0, wall_s - self._wall_s)
            step_j = -1.0
            if counted_j is not None and self._counted_j is not None:
                step_j = counted_j - self._counted_j
            # The count begins anew when the driver is loaded anew.
            self.energy_j += step_j if step_j >= 0.0 else integral_j
        self._wall_s, self._power_w, self._counted_j = wall_s, power_w, counted_j
        return power_w


class NvidiaMeter:
    """Power of the GPUs, with that of the host's processors where it can be read.

    Energy is the GPU's own count where it has one, else its power by the trapezoidal rule.
    """

    name = "nvml"
    source = Source.MEASURED
    model = ""
    error_ratio = None

    def __init__(self, gpus: NvidiaGpus, host: RaplMeter | None) -> None:
        """Take the GPUs and the host's counters.

        Args:
            gpus: closed with the meter.
            host: counters of the host's processors; None where they cannot be read.
        """
        self._gpus = gpus
        self._host = host
        self._failures = Failures()
        self._meters = [_GpuMeter(gpu.beside(self._failures)) for gpu in gpus.gpus]

    @property
    def scope(self) -> str:
        """``gpu+package``, or ``gpu`` where the host's counters cannot be read."""
        return "gpu" if self._host is None else "gpu+package"

    @property
    def ok(self) -> bool:
        """Every GPU and counter could be read."""
        return self._failures.ok and (self._host is None or self._host.ok)

    def find(self) -> None:
        """Nothing to look for."""

    def sample(self, draft: Draft) -> MeterSample | None:
        """Ask every GPU; None where one of them, or the host, tells nothing now."""
        powers_w: list[float | None] = []
        for meter in self._meters:
            power_w = meter.step(draft.wall_s)
            powers_w.append(power_w)
            if power_w is not None:
                draft.rails.append(RailReading(meter.name, power_w))
        energy_j = sum(meter.energy_j for meter in self._meters)
        if self._host is not None:
            host = self._host.sample(draft)
            powers_w.append(None if host is None else host.power_w)
            energy_j += 0.0 if host is None else host.energy_j
        present_w = [power_w for power_w in powers_w if power_w is not None]
        if len(present_w) < len(powers_w):
            return None
        return MeterSample(sum(present_w), energy_j, draft.wall_s)

    def close(self) -> None:
        """Close NVML."""
        self._gpus.close()


def _add_temperature(draft: Draft, sensor: str, temperature_c: float | None) -> None:
    if temperature_c is not None and PLAUSIBLE_C[0] <= temperature_c <= PLAUSIBLE_C[1]:
        draft.temperatures.append(TemperatureReading(sensor, temperature_c, 0.0, Source.MEASURED))


def _add_clock(draft: Draft, clock: str, frequency_hz: float | None) -> None:
    if frequency_hz is not None:
        draft.clocks.append(ClockReading(clock, frequency_hz))
