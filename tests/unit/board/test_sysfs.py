"""Reading small files and telling no data from failure."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from node.board.sysfs import SysFs
from node.errors import SensorError


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_reads_anew_each_time_through_one_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "value"
    path.write_text("1\n")
    sysfs = SysFs(tmp_path)
    assert sysfs.read_int("value") == 1
    before = open_files()
    path.write_text("22\n")
    assert sysfs.read_int("value") == 22
    assert open_files() == before
    sysfs.close()
    assert open_files() == before - 1


def test_strips_the_nul_of_the_device_tree(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"Raspberry Pi 5\0\n")
    assert SysFs(tmp_path).read("model") == "Raspberry Pi 5"


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.ENODATA, errno.EINVAL, errno.ENODEV])
def test_errors_that_mean_no_data(tmp_path: Path, code: int) -> None:
    (tmp_path / "value").write_text("1")
    assert SysFs(tmp_path, {"value": code}).read("value") is None


def test_missing_file_and_empty_file_are_no_data(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    sysfs = SysFs(tmp_path)
    assert sysfs.read("missing") is None
    assert sysfs.read_int("empty") is None


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ETIMEDOUT])
def test_other_errors_are_failures_that_name_the_file(tmp_path: Path, code: int) -> None:
    (tmp_path / "value").write_text("1")
    with pytest.raises(SensorError, match="value") as caught:
        SysFs(tmp_path, {"value": code}).read("value")
    assert caught.value.errno == code


def test_fault_is_found_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/value").write_text("1")
    (tmp_path / "link").symlink_to("real")
    assert SysFs(tmp_path, {"real/value": errno.EAGAIN}).read("link/value") is None


def test_text_that_is_no_number_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("off")
    with pytest.raises(SensorError, match="off"):
        SysFs(tmp_path).read_int("value")


def test_children_sort_by_number(tmp_path: Path) -> None:
    for name in ("hwmon10", "hwmon2", "hwmon1"):
        (tmp_path / name).mkdir()
    sysfs = SysFs(tmp_path)
    assert sysfs.children(".") == ["hwmon1", "hwmon2", "hwmon10"]
    assert sysfs.children("missing") == []


@pytest.mark.parametrize("code", [errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR])
def test_a_file_that_was_there_and_is_gone_is_a_failure(tmp_path: Path, code: int) -> None:
    (tmp_path / "value").write_text("1")
    sysfs = SysFs(tmp_path)
    assert sysfs.read_int("value", known=True) == 1
    sysfs._faults["value"] = code
    with pytest.raises(SensorError) as caught:
        sysfs.read_int("value", known=True)
    assert caught.value.errno == code
    assert sysfs.devices_lost == 1
    assert sysfs.read_int("value") is None
    assert sysfs.devices_lost == 1


def test_no_data_keeps_the_file_open(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("1")
    sysfs = SysFs(tmp_path)
    sysfs.read("value")
    before = open_files()
    sysfs._faults["value"] = errno.EAGAIN
    assert sysfs.read("value", known=True) is None
    assert open_files() == before
    sysfs.close()


def test_a_file_on_disk_is_opened_each_time(tmp_path: Path) -> None:
    sysfs = SysFs(tmp_path)
    assert sysfs.read_disk("status") is None
    (tmp_path / "status").write_text("one")
    (tmp_path / "new").write_text("twos")
    before = open_files()
    assert sysfs.read_disk("status") == "one"
    (tmp_path / "new").replace(tmp_path / "status")
    assert sysfs.read_disk("status", max_bytes=3) == "two"
    assert open_files() == before
    sysfs._faults["status"] = errno.EACCES
    with pytest.raises(SensorError, match="status"):
        sysfs.read_disk("status")


def test_links_say_where_names_lead(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a").symlink_to("b")
    sysfs = SysFs(tmp_path)
    assert sysfs.links(".") == (("a", "b"), ("b", ""))
    assert sysfs.links("missing") == ()
    assert sysfs.exists("a")
    assert not sysfs.exists("missing")
