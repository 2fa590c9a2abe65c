"""Where boards begin to slow themselves down."""

from __future__ import annotations

from pathlib import Path

from node.board.sysfs import SysFs
from node.enforcement.trips import passive_trips_c

ZONES = "sys/class/thermal"


def zone(root: Path, number: int, kind: str, *trips: tuple[str, str]) -> None:
    folder = root / ZONES / f"thermal_zone{number}"
    folder.mkdir(parents=True)
    (folder / "type").write_text(f"{kind}\n")
    for index, (what, milli_c) in enumerate(trips):
        (folder / f"trip_point_{index}_type").write_text(f"{what}\n")
        (folder / f"trip_point_{index}_temp").write_text(f"{milli_c}\n")


def test_the_lowest_passive_trip_of_each_type(tmp_path: Path) -> None:
    zone(tmp_path, 0, "cpu-thermal", ("active", "50000"), ("passive", "99000"), ("hot", "103000"))
    zone(tmp_path, 1, "x86_pkg_temp", ("passive", "0"))
    zone(tmp_path, 2, "acpitz", ("passive", "95000"), ("critical", "105000"))
    zone(tmp_path, 3, "acpitz", ("passive", "90000"), ("passive", "nonsense"))
    zone(tmp_path, 4, "", ("passive", "80000"))
    (tmp_path / ZONES / "cooling_device0").mkdir()
    sysfs = SysFs(tmp_path)
    assert passive_trips_c(sysfs) == {"cpu-thermal": 99.0, "acpitz": 90.0}
    sysfs.close()


def test_a_raspberry_pi_has_its_firmwares(tmp_path: Path) -> None:
    zone(tmp_path, 0, "cpu-thermal", ("critical", "110000"))
    tree = tmp_path / "proc/device-tree"
    tree.mkdir(parents=True)
    (tree / "compatible").write_bytes(b"raspberrypi,4-model-b\0brcm,bcm2711\0")
    sysfs = SysFs(tmp_path)
    assert passive_trips_c(sysfs) == {"cpu-thermal": 80.0}
    sysfs.close()


def test_a_board_without_zones(tmp_path: Path) -> None:
    assert passive_trips_c(SysFs(tmp_path)) == {}
