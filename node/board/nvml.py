"""The one seam to NVML, NVIDIA's management library, by its Python package ``nvidia-ml-py``.

Units as the library has them: mW, mJ, MHz, per cent, degrees Celsius. A query that this GPU or
driver does not know is no data and is not asked again; one that fails is a failure. The library
opens on a Jetson too and answers "not supported" to every query: that is no GPU that we can read.
"""

from __future__ import annotations

import contextlib
import importlib
from types import ModuleType
from typing import Any, NamedTuple

from node.board.health import Failures
from node.errors import BoardError

_MODULE = "pynvml"
_PACKAGE = "nvidia-ml-py"
_EVER_ABSENT = ("NVML_ERROR_NOT_SUPPORTED", "NVML_ERROR_FUNCTION_NOT_FOUND")
_ABSENT_NOW = ("NVML_ERROR_NO_DATA", "NVML_ERROR_NOT_READY")
_REASONS = {
    "power-cap": "nvmlClocksThrottleReasonSwPowerCap",
    "power-brake": "nvmlClocksThrottleReasonHwPowerBrakeSlowdown",
    "thermal": "nvmlClocksThrottleReasonSwThermalSlowdown",
    "thermal-hardware": "nvmlClocksThrottleReasonHwThermalSlowdown",
    "hardware": "nvmlClocksThrottleReasonHwSlowdown",
}
"""Being idle, clocks that somebody set and waiting for another GPU are no throttling."""


class Library:
    """NVML, open; only one part of a process may have it so."""

    def __init__(self, module: ModuleType | Any | None = None) -> None:  # noqa: ANN401 - no stubs
        """Open the library.

        Args:
            module: stands in for ``pynvml`` in tests.

        Raises:
            BoardError: the package, the driver or its library is not there.
        """
        if module is None:
            try:
                module = importlib.import_module(_MODULE)
            except ImportError as error:
                raise BoardError(
                    f"{_PACKAGE} is not installed: pip install 'orbitnode[gpu]', "
                    'or choose family = "generic"'
                ) from error
        self.module: Any = module
        self.ever_absent = tuple(getattr(module, name) for name in _EVER_ABSENT)
        self.absent_now = tuple(getattr(module, name) for name in _ABSENT_NOW)
        self.reasons = {reason: int(getattr(module, name)) for reason, name in _REASONS.items()}
        try:
            module.nvmlInit()
        except module.NVMLError as error:
            raise BoardError(f"NVML cannot be opened: {error}") from error

    def handles(self) -> list[Any]:
        """Every device, in the order of the driver.

        Raises:
            BoardError: the driver does not tell.
        """
        module = self.module
        try:
            count = module.nvmlDeviceGetCount()
            return [module.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
        except module.NVMLError as error:
            raise BoardError(f"NVML does not list its devices: {error}") from error

    def close(self) -> None:
        """Close the library."""
        try:
            self.module.nvmlShutdown()
        except self.module.NVMLError:
            # The driver went away before us.
            return


class Gpu:
    """One device: every query gives a figure, or None where there is none."""

    def __init__(self, library: Library, name: str, handle: Any, failures: Failures) -> None:  # noqa: ANN401 - opaque
        """Take a device.

        Args:
            library: that it was found by.
            name: for readings and logs.
            handle: as the library gave it.
            failures: where failing queries are taken down.
        """
        self.name = name
        self._library = library
        self._handle = handle
        self._failures = failures
        self._absent: set[str] = set()

    def beside(self, failures: Failures) -> Gpu:
        """The same device for another reader, which takes down its own failures."""
        return Gpu(self._library, self.name, self._handle, failures)

    def energy_j(self) -> float | None:
        """Counted since the driver was loaded; data-centre GPUs since Volta have it."""
        millijoules = self._ask("nvmlDeviceGetTotalEnergyConsumption")
        return None if millijoules is None else millijoules / 1000.0

    def power_w(self) -> float | None:
        """Of the whole card; an average over the last second on Ampere and later."""
        milliwatts = self._ask("nvmlDeviceGetPowerUsage")
        return None if milliwatts is None else milliwatts / 1000.0

    def power_limit_w(self) -> float | None:
        """That is in force now."""
        milliwatts = self._ask("nvmlDeviceGetEnforcedPowerLimit")
        return None if milliwatts is None else milliwatts / 1000.0

    def temperature_c(self) -> float | None:
        """Of the die."""
        sensor = self._library.module.NVML_TEMPERATURE_GPU
        degrees = self._ask("nvmlDeviceGetTemperature", sensor)
        return None if degrees is None else float(degrees)

    def memory_temperature_c(self) -> float | None:
        """Of the memory, where it has a sensor (HBM)."""
        field = self._library.module.NVML_FI_DEV_MEMORY_TEMP
        values = self._ask("nvmlDeviceGetFieldValues", [field])
        # The one field has its own return code, and 0 degrees is a card without the sensor.
        if values is None or values[0].nvmlReturn or not values[0].value.uiVal:
            return None
        return float(values[0].value.uiVal)

    def clock_hz(self) -> float | None:
        """Of the multiprocessors."""
        return self._clock_hz("NVML_CLOCK_SM")

    def memory_clock_hz(self) -> float | None:
        """Of the memory."""
        return self._clock_hz("NVML_CLOCK_MEM")

    def utilisation_ratio(self) -> float | None:
        """Share of the last sample period in which a kernel ran."""
        rates = self._ask("nvmlDeviceGetUtilizationRates")
        return None if rates is None else rates.gpu / 100.0

    def throttled_by(self) -> frozenset[str] | None:
        """Why the clocks are lower than they could be."""
        # The old name: drivers of before 2023 have that one alone.
        bits = self._ask("nvmlDeviceGetCurrentClocksThrottleReasons")
        if bits is None:
            return None
        reasons = self._library.reasons
        return frozenset(reason for reason, mask in reasons.items() if bits & mask)

    def _clock_hz(self, kind: str) -> float | None:
        megahertz = self._ask("nvmlDeviceGetClockInfo", getattr(self._library.module, kind), kind)
        return None if megahertz is None else megahertz * 1e6

    def _ask(self, query: str, argument: Any = None, part: str = "") -> Any | None:  # noqa: ANN401 - what it says
        """Ask one thing of the device; ``part`` tells queries of one name apart."""
        what = f"{self.name} {part or query}"
        if what in self._absent:
            return None
        module = self._library.module
        arguments = (self._handle,) if argument is None else (self._handle, argument)
        try:
            answer = getattr(module, query)(*arguments)
        except module.NVMLError as error:
            code = error.value
            if code in self._library.ever_absent:
                self._absent.add(what)
            elif code not in self._library.absent_now:
                self._failures.failed(what, error)
                return None
            answer = None
        self._failures.worked(what)
        return answer


class Found(NamedTuple):
    """The GPUs that can be read."""

    library: Library
    gpus: tuple[Gpu, ...]
    failures: Failures


def find_gpus(module: Any | None = None, indices: list[int] | None = None) -> Found:  # noqa: ANN401 - no stubs
    """Open NVML and find the GPUs that tell their power.

    Args:
        module: stands in for ``pynvml`` in tests.
        indices: which devices, counted as ``nvidia-smi`` does; None for all.

    Raises:
        BoardError: there is none, or not one of those that are wanted; the text says why.
    """
    library = Library(module)
    with contextlib.ExitStack() as undo:
        undo.callback(library.close)
        failures = Failures()
        handles = library.handles()
        wanted = range(len(handles)) if indices is None else indices
        missing = [index for index in wanted if index >= len(handles)]
        if missing:
            raise BoardError(f"no NVIDIA GPU {missing[0]}: NVML lists {len(handles)}")
        gpus = tuple(Gpu(library, f"gpu{index}", handles[index], failures) for index in wanted)
        mute = [gpu.name for gpu in gpus if gpu.power_w() is None]
        if not gpus:
            raise BoardError("NVML lists no GPU")
        if mute:
            raise BoardError(f"NVML tells no power of {', '.join(mute)}; a Jetson is no such board")
        undo.pop_all()
    return Found(library, gpus, failures)
