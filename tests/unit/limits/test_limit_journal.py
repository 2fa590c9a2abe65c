from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from node.limits.journal import Entry, Journal, parse, read_boot_id

ENTRY = Entry("sys/devices/a", 1000, 600, 600)
OTHER = Entry("sys/devices/b", 2000, 700, None)


@pytest.mark.parametrize(
    ("current", "cooling", "ours"),
    [
        (600, False, True),  # as written
        (598, False, True),  # as the kernel had rounded it
        (599, False, False),
        (1000, False, False),
        (1200, True, False),
        (500, False, False),  # somebody lowered it
        (500, True, True),  # or the kernel did, against heat
        (601, True, False),
    ],
)
def test_a_value_that_another_has_put_there_is_not_ours(
    current: int, cooling: bool, ours: bool
) -> None:
    assert Entry("a", 1000, 600, 598).owns(current, cooling=cooling) is ours


def test_before_the_kernel_was_heard_anything_up_to_the_baseline_is_ours() -> None:
    entry = Entry("a", 1000, 600, None)
    assert entry.owns(601, cooling=False)
    assert entry.owns(1000, cooling=False)
    assert not entry.owns(1001, cooling=False)


def test_what_was_saved_is_loaded_by_a_helper_of_the_same_boot(tmp_path: Path) -> None:
    Journal(tmp_path, "boot-1").save([ENTRY, OTHER], durable=True)
    assert Journal(tmp_path, "boot-1").load() == [ENTRY, OTHER]
    assert stat.S_IMODE((tmp_path / "journal.json").stat().st_mode) == 0o600


def test_a_journal_of_another_boot_is_removed(tmp_path: Path) -> None:
    Journal(tmp_path, "boot-1").save([ENTRY], durable=True)
    assert Journal(tmp_path, "boot-2").load() == []
    assert list(tmp_path.iterdir()) == []


def test_there_is_no_journal_where_nothing_is_held(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "boot-1")
    assert journal.load() == []
    journal.save([], durable=True)
    journal.save([ENTRY], durable=False)
    journal.save([], durable=False)
    assert list(tmp_path.iterdir()) == []


def document(**changes: object) -> dict[str, object]:
    whole: dict[str, object] = {
        "v": 1,
        "boot_id": "boot-1",
        "entries": [{"file": "a", "baseline": 9, "written": 5, "read_back": None}],
    }
    return {**whole, **changes}


CORRUPT = [
    b"",
    b"\0" * 512,
    b"\xff\xfe",
    b"[" * 5000,
    json.dumps(document()).encode()[:-3],
    json.dumps(document(v=2)).encode(),
    json.dumps(document(boot_id=5)).encode(),
    json.dumps(document(more=1)).encode(),
    json.dumps(document(entries=[{"file": "a"}])).encode(),
    json.dumps(
        document(entries=[{"file": "a", "baseline": -1, "written": 5, "read_back": None}])
    ).encode(),
    json.dumps(
        document(entries=[{"file": "a", "baseline": 1e9, "written": 5, "read_back": None}])
    ).encode(),
    json.dumps(
        document(entries=[{"file": "a", "baseline": 9, "written": 5, "read_back": None}] * 2)
    ).encode(),
]


@pytest.mark.parametrize("data", CORRUPT)
def test_a_corrupt_journal_is_set_aside_and_not_believed(
    data: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(data, "boot-1")
    (tmp_path / "journal.json").write_bytes(data)
    journal = Journal(tmp_path, "boot-1")
    assert journal.load() == []
    assert (tmp_path / "journal.corrupt").read_bytes() == data
    assert not (tmp_path / "journal.json").exists()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    journal.save([ENTRY], durable=True)
    assert journal.load() == [ENTRY]


def test_a_journal_that_is_a_link_is_not_followed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(json.dumps(document()))
    (tmp_path / "journal.json").symlink_to(elsewhere)
    assert Journal(tmp_path, "boot-1").load() == []
    assert "journal_corrupt" in caplog.text
    # Neither is a draft that somebody has put in the way.
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "journal.new").symlink_to(victim)
    Journal(tmp_path, "boot-1").save([ENTRY], durable=True)
    assert victim.read_text() == "untouched"
    assert Journal(tmp_path, "boot-1").load() == [ENTRY]


def test_a_journal_that_cannot_be_moved_away_is_said_to_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "journal.json").write_text("{")
    (tmp_path / "journal.corrupt").mkdir()
    assert Journal(tmp_path, "boot-1").load() == []
    assert "journal_not_moved" in caplog.text


def test_a_disk_that_is_full_leaves_the_old_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, "boot-1")
    journal.save([ENTRY], durable=True)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        journal.save([ENTRY, OTHER], durable=True)
    assert journal.load() == [ENTRY]
    assert [path.name for path in tmp_path.iterdir()] == ["journal.json"]


def test_only_a_new_baseline_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    journal = Journal(tmp_path, "boot-1")
    journal.save([ENTRY], durable=False)
    assert flushed == []
    journal.save([ENTRY], durable=True)
    assert len(flushed) == 2  # the file, then the folder that names it


def test_the_boot_is_known_by_its_id(tmp_path: Path) -> None:
    file = tmp_path / "boot_id"
    file.write_text("6ed2dab0-bea1-4801-849a-a72b4afec91b\n")
    assert read_boot_id(file) == "6ed2dab0-bea1-4801-849a-a72b4afec91b"
    file.write_text("\n")
    with pytest.raises(ValueError, match="empty"):
        read_boot_id(file)
    with pytest.raises(FileNotFoundError):
        read_boot_id(tmp_path / "none")
