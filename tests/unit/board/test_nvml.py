"""NVIDIA GPUs by NVML, against a module that stands in for it: there is no GPU here."""

from __future__ import annotations

import inspect
import logging
import time
from typing import Any

import pynvml
import pytest
from board_tree import copy_board
from fake_pynvml import (
    FUNCTION_NOT_FOUND,
    GPU_IS_LOST,
    LIBRARY_NOT_FOUND,
    NO_DATA,
    NOT_SUPPORTED,
    FakeGpu,
    FakePynvml,
    NVMLError,
    jetson,
)

from node.board.factory import open_tree
from node.board.meter import MeterSample
from node.board.nvidia_gpu import NvidiaGpus, NvidiaMeter
from node.board.parts import Draft
from node.board.rapl import find_rapl
from node.config.installation import BoardChoice
from node.config.spacecraft import BoardFigures
from node.core.events import ClockReading, RailReading, Source, ThrottleReading
from node.errors import BoardError

PACKAGE = "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj"


def read(gpus: NvidiaGpus, wall_s: float = 1.0) -> Draft:
    draft = Draft(wall_s)
    gpus.read(draft)
    return draft


def temperatures(draft: Draft) -> dict[str, float]:
    return {each.sensor: each.temperature_c for each in draft.temperatures}


def test_the_stand_in_has_the_names_and_parameters_of_the_package() -> None:
    for name, value in vars(FakePynvml).items():
        if name.startswith(("NVML_", "nvmlClocks")):
            assert getattr(pynvml, name) == value, name
        elif name.startswith("nvml"):
            ours = list(inspect.signature(value).parameters)[1:]
            assert ours == list(inspect.signature(getattr(pynvml, name)).parameters), name
    assert issubclass(pynvml.NVMLError, Exception)
    assert pynvml.NVMLError(GPU_IS_LOST).value == GPU_IS_LOST


def test_a_machine_without_the_driver_has_no_such_board() -> None:
    # The real package, which finds no libnvidia-ml.so.1 on a machine without a GPU.
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        with pytest.raises(
            BoardError, match="NVML cannot be opened: NVML Shared Library Not Found"
        ):
            NvidiaGpus()
    else:
        pynvml.nvmlShutdown()
        NvidiaGpus().close()


def test_without_the_package_the_text_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    with pytest.raises(BoardError, match=r"pip install 'orbitnode\[gpu\]'"):
        NvidiaGpus()


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (FakePynvml(init=LIBRARY_NOT_FOUND), "cannot be opened: code 12"),
        (FakePynvml(count=999), "does not list its devices"),
        (FakePynvml(), "lists no GPU"),
        (FakePynvml(jetson()), "tells no power of gpu0; a Jetson is no such board"),
        (FakePynvml(FakeGpu(), jetson()), "tells no power of gpu1"),
        (FakePynvml(FakeGpu(power_mw=NVMLError(GPU_IS_LOST))), "tells no power of gpu0"),
    ],
)
def test_what_is_no_such_board(module: FakePynvml, why: str) -> None:
    with pytest.raises(BoardError, match=why):
        NvidiaGpus(module)
    assert module.opened == 0


def test_only_the_gpus_that_are_wanted(caplog: pytest.LogCaptureFixture) -> None:
    module = FakePynvml(FakeGpu(), FakeGpu(), jetson())
    gpus = NvidiaGpus(module, [1])
    assert [gpu.name for gpu in gpus.gpus] == ["gpu1"]
    assert module.devices[0].asked == []
    gpus.close()
    with pytest.raises(BoardError, match="no NVIDIA GPU 3: NVML lists 3"):
        NvidiaGpus(module, [0, 3])
    assert module.opened == 0
    assert not caplog.records


def test_readings_in_base_units() -> None:
    gpu = FakeGpu(busy_percent=97, sm_mhz=1980, temperature_c=64, memory_c=78, reasons=0x1 | 0x4)
    draft = read(NvidiaGpus(FakePynvml(gpu)))
    assert temperatures(draft) == {"gpu0": 64.0, "gpu0-memory": 78.0}
    assert draft.die_c == 64.0
    assert draft.clocks == [ClockReading("gpu0", 1.98e9), ClockReading("gpu0-memory", 2.619e9)]
    assert draft.gpu_utilisation_ratio == 0.97
    assert draft.power_limit_w == 700.0
    assert {each.reason: each.active for each in draft.throttles} == {
        "power-cap": True,
        "power-brake": False,
        "thermal": False,
        "thermal-hardware": False,
        "hardware": False,
    }


def test_several_gpus_are_one_board() -> None:
    hot = FakeGpu(temperature_c=80, busy_percent=100, reasons=0x20, limit_mw=300_000)
    draft = read(NvidiaGpus(FakePynvml(FakeGpu(temperature_c=40), hot)))
    assert draft.die_c == 80.0
    assert draft.gpu_utilisation_ratio == 0.5
    assert draft.power_limit_w == 1000.0
    assert ThrottleReading("thermal", active=True) in draft.throttles
    assert len(draft.throttles) == 5


def test_what_is_not_supported_is_absent_and_not_asked_again() -> None:
    never = NVMLError(NOT_SUPPORTED)
    gpu = FakeGpu(
        memory_c=never,
        temperature_c=NVMLError(FUNCTION_NOT_FOUND),
        sm_mhz=never,
        busy_percent=never,
        reasons=never,
        limit_mw=never,
    )
    gpus = NvidiaGpus(FakePynvml(gpu))
    for _ in range(3):
        draft = Draft(1.0)
        assert gpus.read(draft)
    assert draft.readings(None).hardware is not None
    assert draft.clocks == [ClockReading("gpu0-memory", 2.619e9)]
    assert (draft.temperatures, draft.throttles) == ([], [])
    assert (draft.die_c, draft.power_limit_w, draft.gpu_utilisation_ratio) == (None, None, None)
    assert gpu.asked.count("busy_percent") == 1
    assert gpu.asked.count("sm_mhz") == 1
    assert gpu.asked.count("memory_mhz") == 3


def test_no_data_now_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    gpu = FakeGpu(memory_c=0, temperature_c=NVMLError(NO_DATA))
    gpus = NvidiaGpus(FakePynvml(gpu))
    assert gpus.read(draft := Draft(1.0))
    assert temperatures(draft) == {}
    gpu.answers["temperature_c"] = 50
    assert temperatures(read(gpus)) == {"gpu0": 50.0}
    assert not caplog.records


def test_a_lost_gpu_is_a_failure_logged_at_its_edges(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    gpu = FakeGpu()
    gpus = NvidiaGpus(FakePynvml(gpu))
    meter = NvidiaMeter(gpus, None)
    before = dict(gpu.answers)
    gpu.answers = dict.fromkeys(gpu.answers, NVMLError(GPU_IS_LOST))
    for wall_s in (1.0, 2.0):
        draft = Draft(wall_s)
        assert not gpus.read(draft)
        assert meter.sample(draft) is None
        assert not meter.ok
        assert draft.readings(None).hardware is None
    assert caplog.text.count("sensor_failed sensor='gpu0 nvmlDeviceGetPowerUsage'") == 1
    gpu.answers = before
    draft = Draft(3.0)
    assert gpus.read(draft)
    assert meter.sample(draft) is not None
    assert meter.ok
    assert caplog.text.count("sensor_recovered sensor='gpu0 nvmlDeviceGetPowerUsage'") == 1


# Power


def step(meter: NvidiaMeter, wall_s: float) -> tuple[MeterSample | None, Draft]:
    draft = Draft(wall_s)
    return meter.sample(draft), draft


def test_energy_is_the_gpus_own_count() -> None:
    first, second = FakeGpu(energy_mj=5_000_000), FakeGpu(energy_mj=1_000, power_mw=120_000)
    meter = NvidiaMeter(NvidiaGpus(FakePynvml(first, second)), None)
    assert (meter.scope, meter.source, meter.name) == ("gpu", Source.MEASURED, "nvml")
    sample, draft = step(meter, 10.0)
    assert sample == MeterSample(192.5, 0.0, 10.0)
    assert draft.rails == [RailReading("gpu0", 72.5), RailReading("gpu1", 120.0)]
    first.answers["energy_mj"] = 5_070_000
    second.answers["energy_mj"] = 101_000
    sample, _ = step(meter, 11.0)
    assert sample == pytest.approx(MeterSample(192.5, 170.0, 11.0))


def test_a_count_that_begins_anew_is_filled_in_by_power() -> None:
    gpu = FakeGpu(energy_mj=5_000_000, power_mw=100_000)
    meter = NvidiaMeter(NvidiaGpus(FakePynvml(gpu)), None)
    step(meter, 10.0)
    gpu.answers["energy_mj"] = 3_000
    sample, _ = step(meter, 12.0)
    assert sample == pytest.approx(MeterSample(100.0, 200.0, 12.0))
    gpu.answers["energy_mj"] = 13_000
    sample, _ = step(meter, 13.0)
    assert sample == pytest.approx(MeterSample(100.0, 210.0, 13.0))


def test_without_a_count_power_is_integrated() -> None:
    gpu = FakeGpu(energy_mj=NVMLError(NOT_SUPPORTED), power_mw=100_000)
    meter = NvidiaMeter(NvidiaGpus(FakePynvml(gpu)), None)
    step(meter, 10.0)
    gpu.answers["power_mw"] = 200_000
    sample, _ = step(meter, 12.0)
    assert sample == pytest.approx(MeterSample(200.0, 300.0, 12.0))


def test_a_count_that_fails_now_and_then_loses_nothing() -> None:
    gpu = FakeGpu(energy_mj=1_000, power_mw=100_000)
    meter = NvidiaMeter(NvidiaGpus(FakePynvml(gpu)), None)
    step(meter, 10.0)
    gpu.answers["energy_mj"] = NVMLError(NO_DATA)
    assert step(meter, 11.0)[0] is None
    gpu.answers["energy_mj"] = 251_000
    sample, _ = step(meter, 12.0)
    assert sample == pytest.approx(MeterSample(100.0, 250.0, 12.0))


def test_the_host_s_processor_is_added_where_it_can_be_read(tmp_path: Any) -> None:
    tree = copy_board("generic-x86", tmp_path)
    before_uj = int((tree.root / PACKAGE).read_text())
    host = find_rapl(tree.open(), 10.0, platform=False)
    gpu = FakeGpu(energy_mj=0, power_mw=300_000)
    meter = NvidiaMeter(NvidiaGpus(FakePynvml(gpu)), host)
    assert meter.scope == "gpu+package"
    step(meter, 10.0)
    gpu.answers["energy_mj"] = 600_000
    tree.write(PACKAGE, f"{before_uj + 90_000_000}\n")
    sample, draft = step(meter, 12.0)
    assert sample == pytest.approx(MeterSample(345.0, 690.0, 12.0))
    assert {"gpu0", "package-0"} <= {each.rail for each in draft.rails}
    assert find_rapl(tree.open(unprivileged=True), 10.0, platform=False) is None


def test_the_board_asks_little() -> None:
    devices = [FakeGpu() for _ in range(8)]
    gpus = NvidiaGpus(FakePynvml(*devices))
    meter = NvidiaMeter(gpus, None)
    for gpu in devices:
        gpu.asked.clear()
    began_s = time.process_time()
    for second in range(100):
        draft = Draft(float(second))
        gpus.read(draft)
        meter.sample(draft)
    took_s = (time.process_time() - began_s) / 100
    assert len(devices[0].asked) == 100 * 9
    # Our own part for eight GPUs; what the driver takes is not in it.
    assert took_s < 0.004


# The board


def test_a_machine_with_the_driver_is_a_board_of_gpus(
    tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tree = copy_board("generic-x86", tmp_path)
    (tree.root / "proc/driver/nvidia/gpus/0000:18:00.0").mkdir(parents=True)
    tree.write(
        "proc/driver/nvidia/version",
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15\nGCC version: 12\n",
    )
    module = FakePynvml(FakeGpu(power_mw=300_000, busy_percent=50))
    choice = BoardChoice(family="auto")
    figures = BoardFigures(idle_w=60.0, active_w=700.0)
    board = open_tree(tree.open(unprivileged=True), choice, figures, nvml=module)
    assert board.family == "nvidia-gpu"
    assert "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15" in caplog.text
    readings = board.read(time.monotonic())
    assert readings.power is not None
    assert (readings.power.power_w, readings.power.scope) == (300.0, "gpu")
    assert readings.power.source is Source.MEASURED
    assert readings.hardware is not None
    assert readings.hardware.gpu_utilisation_ratio == 0.5
    assert readings.hardware.power_limit_w == 700.0
    assert {each.sensor for each in readings.temperatures} >= {"gpu0", "gpu0-memory", "acpitz"}
    assert {each.name for each in board.sensor_health()} >= {"nvml", "nvml_power"}
    assert all(each.ok for each in board.sensor_health())
    board.close()
    assert module.opened == 0


def test_a_jetson_is_no_board_of_gpus_though_nvml_opens(tmp_path: Any) -> None:
    tree = copy_board("jetson-orin-nano", tmp_path)
    module = FakePynvml(jetson())
    with pytest.raises(BoardError, match="tells no power of gpu0"):
        open_tree(
            tree.open(), BoardChoice(family="nvidia-gpu"), BoardFigures(5.0, 15.0), nvml=module
        )
    assert module.opened == 0
