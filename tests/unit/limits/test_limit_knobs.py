from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from board_tree import NAMES, copy_board
from memory_limits import EMC, GPU, MMIO, POLICY, RAPL, MemoryFiles, jetson_files, x86_files

from node.limits.knobs import Found, Knob, find_knobs, is_cooling
from node.limits.tree import DEVICES, Tree


@pytest.fixture
def found(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Found]:
    with closing(Tree(copy_board(request.param, tmp_path).root)) as tree:
        yield find_knobs(tree)


def by_name(found: Found) -> dict[str, Knob]:
    return {knob.name: knob for knob in found.knobs}


EXPECTED = {
    "generic-x86": [*(f"cpu:{number}" for number in range(8)), "package-0"],
    "jetson-agx-orin": ["cpu:0", "cpu:4", "cpu:8", "gpu", "emc"],
    "jetson-orin-nano": ["cpu:0", "cpu:4", "gpu", "emc"],
    "raspberry-pi-4": ["cpu:0"],
    "raspberry-pi-5": ["cpu:0"],
}


def test_every_captured_board_is_listed_here() -> None:
    assert set(NAMES) == set(EXPECTED)


@pytest.mark.parametrize(("found", "names"), EXPECTED.items(), indirect=["found"])
def test_the_knobs_of_a_captured_board(found: Found, names: list[str]) -> None:
    assert list(by_name(found)) == names
    assert found.left_out == ()
    for knob in found.knobs:
        assert all(path.startswith((DEVICES, "sys/kernel/nvpmodel_")) for path in knob.files)
        assert sorted(knob.steps) == list(knob.steps)
        assert knob.floor > 0


@pytest.mark.parametrize("found", ["jetson-orin-nano"], indirect=True)
def test_a_jetson_steps_as_its_hardware_does(found: Found) -> None:
    knobs = by_name(found)
    assert knobs["cpu:0"].steps[:2] == (115_200, 192_000)
    assert knobs["cpu:0"].floor == 115_200
    assert knobs["cpu:4"].policy == 4
    assert knobs["gpu"].steps[-1] == 1_020_000_000
    assert knobs["gpu"].minimum is not None
    assert knobs["emc"].steps == (204_000_000, 665_600_000, 2_133_000_000, 3_199_000_000)


@pytest.mark.parametrize("found", ["raspberry-pi-5"], indirect=True)
def test_a_raspberry_pi_5_has_the_floor_that_its_firmware_keeps(found: Found) -> None:
    knob = found.knobs[0]
    assert knob.steps[0] == 1_000_000
    assert knob.floor == 1_500_000
    assert "1500000" in knob.note


@pytest.mark.parametrize("found", ["raspberry-pi-4"], indirect=True)
def test_a_raspberry_pi_4_has_the_floor_that_it_lists(found: Found) -> None:
    assert found.knobs[0].floor == 600_000
    assert found.knobs[0].note == ""


@pytest.mark.parametrize("found", ["generic-x86"], indirect=True)
def test_an_x86_package_is_limited_by_both_of_its_zones(found: Found) -> None:
    knob = by_name(found)["package-0"]
    assert [path.split("/")[-2] for path in knob.ceilings] == ["intel-rapl:0", "intel-rapl-mmio:0"]
    assert all("constraint_0" in path for path in knob.ceilings)
    assert all("constraint_1" in path for path in knob.followers)
    assert len(knob.followers) == 2
    assert by_name(found)["cpu:7"].steps == ()
    assert by_name(found)["cpu:7"].floor == 400_000


def without(files: dict[str, str], *gone: str) -> MemoryFiles:
    return MemoryFiles({path: text for path, text in files.items() if path not in gone})


def test_a_policy_without_files_is_left_out() -> None:
    maximum = f"{POLICY.format(4)}/scaling_max_freq"
    found = find_knobs(without(jetson_files(), maximum))
    assert "cpu:4" not in by_name(found)
    assert found.left_out == ("cpu:4: no limit to read",)


def test_a_policy_whose_lowest_clock_is_unknown_is_left_out() -> None:
    found = find_knobs(without(jetson_files(), f"{POLICY.format(4)}/scaling_available_frequencies"))
    assert found.left_out == ("cpu:4: its lowest clock is not known",)


def test_a_policy_may_have_no_lower_end() -> None:
    knobs = by_name(find_knobs(without(jetson_files(), f"{POLICY.format(0)}/scaling_min_freq")))
    assert knobs["cpu:0"].minimum is None
    assert knobs["cpu:0"].files == knobs["cpu:0"].ceilings


def test_other_folders_beside_the_policies_are_none() -> None:
    files = MemoryFiles({"sys/devices/system/cpu/cpufreq/policyX/scaling_max_freq": "1"})
    assert find_knobs(files) == Found((), ())


def test_a_gpu_without_clocks_is_left_out() -> None:
    found = find_knobs(without(jetson_files(), f"{GPU}/available_frequencies"))
    assert "gpu" not in by_name(found)
    assert found.left_out == ("gpu: 17000000.gpu says neither its limit nor its clocks",)
    assert by_name(find_knobs(without(jetson_files(), f"{GPU}/min_freq")))["gpu"].minimum is None


def test_an_older_jetson_caps_its_memory_by_another_file() -> None:
    files = MemoryFiles({"sys/kernel/nvpmodel_emc_cap/emc_iso_cap": "1600000000"})
    knob = by_name(find_knobs(files))["emc"]
    assert knob.steps == ()
    assert "rounds" in knob.note
    files.files["sys/kernel/nvpmodel_emc_cap/emc_iso_cap"] = "0"
    assert find_knobs(files).left_out == (
        "emc: no limit was ever set, and so there is none to go back to",
    )


def test_a_new_jetson_knows_its_memory_clocks_by_its_chip() -> None:
    files = jetson_files()
    assert by_name(find_knobs(MemoryFiles(files)))["emc"].ceilings == (EMC,)
    del files["sys/firmware/devicetree/base/compatible"]
    assert by_name(find_knobs(MemoryFiles(files)))["emc"].steps == ()


def test_zones_that_are_no_package_or_have_no_limit_are_not_touched() -> None:
    files = MemoryFiles(x86_files())
    files.files[f"{RAPL}/name"] = "psys"
    knob = by_name(find_knobs(files))["package-0"]
    assert all(path.startswith(MMIO) for path in knob.files)
    files.files[f"{MMIO}/constraint_0_power_limit_uw"] = "0"
    assert find_knobs(files) == Found((), ("package-0: no power limit",))


def test_a_zone_that_is_switched_off_is_said_to_be() -> None:
    files = MemoryFiles(x86_files())
    assert by_name(find_knobs(files))["package-0"].note == ""
    files.files[f"{MMIO}/enabled"] = "0"
    assert "not enabled" in by_name(find_knobs(files))["package-0"].note


def test_the_kernel_cools_each_kind_by_devices_of_its_own() -> None:
    files = MemoryFiles(jetson_files())
    assert not is_cooling(files, "cpu")
    files.files["sys/devices/virtual/thermal/cooling_device0/cur_state"] = "3"
    assert is_cooling(files, "cpu")
    assert not is_cooling(files, "gpu")
    files.files["sys/devices/virtual/thermal/cooling_device0/cur_state"] = "0"
    files.files["sys/devices/virtual/thermal/cooling_device1/cur_state"] = "1"
    assert not is_cooling(files, "cpu")
    assert is_cooling(files, "gpu")
    assert not is_cooling(files, "emc")
    # A fan that turns holds nothing down.
    files.files["sys/devices/virtual/thermal/cooling_device1/type"] = "pwm-fan"
    assert not is_cooling(files, "gpu")
