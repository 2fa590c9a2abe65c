"""Stands in for ``pynvml`` where there is no GPU: its names and constants, and devices to set.

``test_nvml.py`` holds the constants and the functions' parameters to those of the real package.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

NOT_SUPPORTED = 3
NO_DATA = 21
FUNCTION_NOT_FOUND = 13
GPU_IS_LOST = 15
LIBRARY_NOT_FOUND = 12


class NVMLError(Exception):
    """An error of the library, with its code."""

    def __init__(self, value: int) -> None:
        self.value = value
        super().__init__(f"code {value}")


class FakeGpu:
    """One device; a figure is what the library would answer, an ``NVMLError`` what it raises."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {
            "energy_mj": 1_000_000,
            "power_mw": 72_500,
            "limit_mw": 700_000,
            "temperature_c": 31,
            "memory_c": 45,
            "sm_mhz": 345,
            "memory_mhz": 2619,
            "busy_percent": 0,
            "reasons": 1,
            **answers,
        }

    def answer(self, what: str) -> Any:
        self.asked.append(what)
        found = self.answers[what]
        if isinstance(found, NVMLError):
            raise found
        return found


def jetson() -> FakeGpu:
    """What NVML on a Jetson is: there, and not supported."""
    error = NVMLError(NOT_SUPPORTED)
    return FakeGpu(**dict.fromkeys(FakeGpu().answers, error))


class FakePynvml:
    """The module."""

    NVMLError = NVMLError
    NVML_ERROR_NOT_SUPPORTED = NOT_SUPPORTED
    NVML_ERROR_FUNCTION_NOT_FOUND = FUNCTION_NOT_FOUND
    NVML_ERROR_NO_DATA = NO_DATA
    NVML_ERROR_NOT_READY = 27
    NVML_TEMPERATURE_GPU = 0
    NVML_FI_DEV_MEMORY_TEMP = 82
    NVML_CLOCK_SM = 1
    NVML_CLOCK_MEM = 2
    nvmlClocksThrottleReasonSwPowerCap = 0x4  # noqa: N815 - the package's own name
    nvmlClocksThrottleReasonHwSlowdown = 0x8  # noqa: N815
    nvmlClocksThrottleReasonSwThermalSlowdown = 0x20  # noqa: N815
    nvmlClocksThrottleReasonHwThermalSlowdown = 0x40  # noqa: N815
    nvmlClocksThrottleReasonHwPowerBrakeSlowdown = 0x80  # noqa: N815

    def __init__(
        self, *devices: FakeGpu, init: int | None = None, count: int | None = None
    ) -> None:
        self.devices = devices
        self.opened = 0
        self._init = init
        self._count = count

    def nvmlInit(self) -> None:  # noqa: N802 - the package's own names, here and below
        if self._init is not None:
            raise NVMLError(self._init)
        self.opened += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        if not self.opened:
            raise NVMLError(1)
        self.opened -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        if self._count is not None:
            raise NVMLError(self._count)
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeGpu:  # noqa: N802
        return self.devices[index]

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: FakeGpu) -> Any:  # noqa: N802
        return handle.answer("energy_mj")

    def nvmlDeviceGetPowerUsage(self, handle: FakeGpu) -> Any:  # noqa: N802
        return handle.answer("power_mw")

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: FakeGpu) -> Any:  # noqa: N802
        return handle.answer("limit_mw")

    def nvmlDeviceGetTemperature(self, handle: FakeGpu, sensor: int) -> Any:  # noqa: N802
        assert sensor == self.NVML_TEMPERATURE_GPU
        return handle.answer("temperature_c")

    def nvmlDeviceGetFieldValues(self, handle: FakeGpu, fieldIds: list[int]) -> Any:  # noqa: N802, N803
        assert fieldIds == [self.NVML_FI_DEV_MEMORY_TEMP]
        code, degrees = 0, 0
        try:
            degrees = handle.answer("memory_c")
        except NVMLError as error:
            # The real one succeeds, and each field has its own code.
            code = error.value
        return [SimpleNamespace(nvmlReturn=code, value=SimpleNamespace(uiVal=degrees))]

    def nvmlDeviceGetClockInfo(self, handle: FakeGpu, type: int) -> Any:  # noqa: A002, N802
        return handle.answer({1: "sm_mhz", 2: "memory_mhz"}[type])

    def nvmlDeviceGetUtilizationRates(self, handle: FakeGpu) -> Any:  # noqa: N802
        return SimpleNamespace(gpu=handle.answer("busy_percent"), memory=0)

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: FakeGpu) -> Any:  # noqa: N802
        return handle.answer("reasons")
