from __future__ import annotations

import errno
import logging

import pytest
from memory_limits import EMC, GPU, MMIO, POLICY, RAPL, MemoryBoard, jetson_files, x86_files

from node.errors import GovernorRefusedError
from node.limits.journal import Entry
from node.limits.protocol import Outcome

MAX0, MIN0 = (f"{POLICY.format(0)}/scaling_{end}_freq" for end in ("max", "min"))
MAX4, MIN4 = (f"{POLICY.format(4)}/scaling_{end}_freq" for end in ("max", "min"))
GPU_MAX, GPU_MIN = f"{GPU}/max_freq", f"{GPU}/min_freq"


@pytest.fixture
def board() -> MemoryBoard:
    return MemoryBoard(jetson_files())


@pytest.fixture
def x86() -> MemoryBoard:
    return MemoryBoard(x86_files())


def code_of(refused: pytest.ExceptionInfo[GovernorRefusedError]) -> str:
    return refused.value.code


def test_lowering_moves_the_lower_end_out_of_the_way_first(board: MemoryBoard) -> None:
    outcomes = board.limits.cap("cpu", 650_000, 0)
    assert board.files.writes == [(MIN0, 600_000), (MAX0, 600_000)]
    assert outcomes == [
        Outcome("cpu:0", 650_000, 600_000, 600_000, "snapped down to a step of the hardware")
    ]
    assert board.limits.held == ["cpu:0"]


def test_restoring_raises_the_limit_before_its_lower_end(board: MemoryBoard) -> None:
    board.limits.cap("cpu", 650_000, 0)
    board.files.writes.clear()
    restorations = board.limits.release()
    assert board.files.writes == [(MAX0, 1_400_000), (MIN0, 800_000)]
    assert all(each.restored for each in restorations)
    assert board.as_found
    assert board.limits.held == []
    assert board.journal.entries == []


def test_a_lower_end_that_is_not_in_the_way_stays(board: MemoryBoard) -> None:
    board.limits.cap("cpu", 1_000_000, 0)
    assert board.files.writes == [(MAX0, 1_000_000)]


def test_raising_a_cap_lets_the_lower_end_follow_and_never_above_its_baseline(
    board: MemoryBoard,
) -> None:
    board.limits.cap("cpu", 400_000, 0)
    board.files.writes.clear()
    board.limits.cap("cpu", 600_000, 0)
    assert board.files.writes == [(MAX0, 600_000), (MIN0, 600_000)]
    board.files.writes.clear()
    board.limits.cap("cpu", 1_200_000, 0)
    assert board.files.writes == [(MAX0, 1_200_000), (MIN0, 800_000)]
    assert [entry.file for entry in board.journal.entries] == [MAX0]


def test_a_cap_at_the_baseline_is_none(board: MemoryBoard) -> None:
    assert board.limits.cap("cpu", 1_400_000, 0) == [
        Outcome("cpu:0", 1_400_000, 1_400_000, 1_400_000)
    ]
    assert board.files.writes == []
    board.limits.cap("cpu", 400_000, 0)
    board.limits.cap("cpu", 1_400_000, 0)
    assert board.as_found
    assert board.limits.held == []
    assert board.journal.entries == []


def test_the_same_cap_again_writes_nothing(board: MemoryBoard) -> None:
    board.limits.cap("gpu", 650_000_000)
    board.files.writes.clear()
    saved = len(board.journal.durable)
    assert board.limits.cap("gpu", 600_000_000)[0].written == 600_000_000
    assert board.files.writes == []
    assert len(board.journal.durable) == saved


@pytest.mark.parametrize("asked", [1_400_001, 2_000_000, 1 << 53])
def test_no_limit_is_raised(asked: int, board: MemoryBoard) -> None:
    with pytest.raises(GovernorRefusedError) as refused:
        board.limits.cap("cpu", asked, 0)
    assert code_of(refused) == "above_baseline"
    board.limits.cap("cpu", 400_000, 0)
    board.files.writes.clear()
    with pytest.raises(GovernorRefusedError):
        board.limits.cap("cpu", asked, 0)
    assert board.files.writes == []


def test_of_all_policies_those_that_are_lower_already_stay(board: MemoryBoard) -> None:
    first, second = board.limits.cap("cpu", 1_600_000)
    assert first.written is None
    assert "above_baseline" in first.note
    assert second.written == 1_600_000
    assert board.files.writes == [(MAX4, 1_600_000)]
    assert board.limits.held == ["cpu:4"]


def test_below_the_floor_is_the_floor(board: MemoryBoard) -> None:
    assert board.limits.cap("emc", 1)[0].written == 204_000_000
    assert "floor" in board.limits.cap("gpu", 1)[0].note
    assert board.files.number(GPU_MAX) == 300_000_000


@pytest.mark.parametrize(("kind", "policy"), [("package_power", None), ("cpu", 7)])
def test_a_knob_that_is_not_there_is_said_so(
    kind: str, policy: int | None, board: MemoryBoard
) -> None:
    with pytest.raises(GovernorRefusedError) as refused:
        board.limits.cap(kind, 1, policy)  # type: ignore[arg-type] # parametrised
    assert code_of(refused) == "unknown_knob"


def test_every_limit_of_a_package_is_lowered_and_none_raised(x86: MemoryBoard) -> None:
    long_term = "constraint_0_power_limit_uw"
    short_term = "constraint_1_power_limit_uw"
    states, _ = x86.limits.describe()
    assert (states[0].current, states[0].baseline) == (28_000_000, 28_000_000)
    assert x86.limits.cap("package_power", 20_000_000)[0].read_back == 20_000_000
    assert x86.files.writes == [
        (f"{folder}/{file}", 20_000_000)
        for file in (long_term, short_term)
        for folder in (RAPL, MMIO)
    ]
    with pytest.raises(GovernorRefusedError):
        x86.limits.cap("package_power", 28_000_001)
    x86.limits.cap("package_power", 28_000_000)
    # The others are held down to what was the least of them, and that one is as it was.
    assert x86.files.number(f"{RAPL}/{long_term}") == 28_000_000
    assert [entry.file for entry in x86.journal.entries if MMIO in entry.file] == [
        f"{MMIO}/{short_term}"
    ]
    x86.limits.release()
    assert x86.as_found


def test_what_the_hardware_does_not_take_is_said(x86: MemoryBoard) -> None:
    x86.files.rounded = lambda path, value: value if MMIO in path else 4_090_000_000
    assert x86.limits.cap("package_power", 20_000_000)[0].note == ""
    x86.files.rounded = lambda _path, value: value + 123
    outcome = x86.limits.cap("package_power", 10_000_000)[0]
    assert (outcome.written, outcome.read_back) == (10_000_000, 10_000_123)
    assert "not taken" in outcome.note
    x86.files.rounded = lambda _path, value: value
    x86.limits.release()
    assert x86.as_found


def test_what_the_kernel_rounds_is_still_ours(x86: MemoryBoard) -> None:
    x86.files.rounded = lambda _path, value: value // 125_000 * 125_000
    assert x86.limits.cap("package_power", 20_000_001)[0].read_back == 20_000_000
    x86.files.rounded = lambda _path, value: value
    assert all(each.restored for each in x86.restart().recover())
    assert x86.as_found


def test_the_baseline_is_on_disk_before_the_first_write(board: MemoryBoard) -> None:
    def look() -> None:
        baselines = {entry.file: entry.baseline for entry in board.journal.entries}
        assert baselines[MAX0] == 1_400_000
        assert baselines[MAX4] == 2_000_000
        assert baselines[MIN0] == 800_000

    board.files.before_write = look
    board.limits.cap("cpu", 400_000)
    assert len(board.files.writes) == 4
    # Flushed once, for all of them; what follows has no new baseline.
    assert board.journal.durable == [True, False]
    board.limits.cap("cpu", 600_000)
    assert board.journal.durable == [True, False, False, False]


def test_without_a_journal_nothing_is_written(board: MemoryBoard) -> None:
    board.journal.full = True
    with pytest.raises(GovernorRefusedError) as refused:
        board.limits.cap("cpu", 400_000)
    assert code_of(refused) == "journal"
    assert board.files.writes == []
    assert board.limits.held == []
    assert board.as_found


def test_a_journal_that_fails_later_does_not_keep_from_restoring(
    board: MemoryBoard, caplog: pytest.LogCaptureFixture
) -> None:
    board.limits.cap("cpu", 400_000)
    board.journal.full = True
    board.limits.release()
    assert board.as_found
    assert "journal_not_updated" in caplog.text
    # The journal says too much now; the next helper finds everything restored.
    board.journal.full = False
    assert board.journal.entries != []
    board.files.writes.clear()
    assert all(each.restored for each in board.restart().recover())
    assert board.files.writes == []
    assert board.journal.entries == []


def test_a_write_that_fails_leaves_the_knob_as_found(board: MemoryBoard) -> None:
    board.files.refused = {MAX0: errno.EROFS}
    with pytest.raises(GovernorRefusedError) as refused:
        board.limits.cap("cpu", 400_000, 0)
    assert code_of(refused) == "write_failed"
    assert "Read-only file system" in refused.value.text
    assert "as it was found" in refused.value.text
    assert board.as_found
    assert board.journal.entries == []
    # The other policy is not kept from being lowered.
    first, second = board.limits.cap("cpu", 400_000)
    assert first.written is None
    assert second.written == 400_000
    assert board.limits.held == ["cpu:4"]


def test_what_cannot_be_restored_stays_in_the_journal(board: MemoryBoard) -> None:
    board.limits.cap("cpu", 400_000, 0)
    board.files.refused = {MIN0: errno.EIO}
    restorations = board.limits.release()
    assert [(each.file, each.restored) for each in restorations] == [(MAX0, True), (MIN0, False)]
    assert [entry.file for entry in board.journal.entries] == [MIN0]
    assert board.limits.held == ["cpu:0"]
    board.files.refused = {MAX0: errno.EIO, MIN0: errno.EIO}
    with pytest.raises(GovernorRefusedError, match="not restored"):
        board.limits.cap("cpu", 200_000, 0)
    board.files.refused = {}
    board.restart().recover()
    assert board.as_found


def test_one_kind_and_one_policy_can_be_released_alone(board: MemoryBoard) -> None:
    board.limits.cap("cpu", 400_000)
    board.limits.cap("gpu", 300_000_000)
    board.limits.cap("emc", 204_000_000)
    board.limits.release("cpu", 4)
    assert board.limits.held == ["cpu:0", "emc", "gpu"]
    board.limits.release("cpu")
    assert board.limits.held == ["emc", "gpu"]
    assert board.limits.release("package_power") == []
    board.limits.release("emc")
    assert board.files.number(EMC) == 3_199_000_000
    board.limits.release()
    assert board.as_found


@pytest.mark.parametrize("theirs", [1_200_000, 200_000, 1_800_000])
def test_what_another_has_set_since_is_left_alone(
    theirs: int, board: MemoryBoard, caplog: pytest.LogCaptureFixture
) -> None:
    board.limits.cap("cpu", 1_000_000, 0)
    board.files.files[MAX0] = str(theirs)
    restoration = board.limits.release()[0]
    assert not restoration.restored
    assert "another" in restoration.note
    assert "limit_left" in caplog.text
    assert board.files.number(MAX0) == theirs
    assert board.journal.entries == []


def test_what_another_has_set_since_is_the_new_baseline(
    board: MemoryBoard, caplog: pytest.LogCaptureFixture
) -> None:
    board.limits.cap("cpu", 1_000_000, 0)
    board.files.files[MAX0] = "1600000"
    assert "1600000 by another" in board.limits.cap("cpu", 1_400_000, 0)[0].note
    board.files.files[MAX0] = "1200000"
    with pytest.raises(GovernorRefusedError) as refused:
        board.limits.cap("cpu", 1_300_000, 0)
    assert code_of(refused) == "above_baseline"
    assert caplog.text.count("limit_changed_by_another") == 2
    board.limits.cap("cpu", 600_000, 0)
    assert board.limits.describe()[0][0].baseline == 1_200_000
    board.limits.release()
    assert board.files.number(MAX0) == 1_200_000
    assert board.files.number(MIN0) == 800_000


def test_a_lower_end_is_not_raised_above_a_limit_that_another_has_set(board: MemoryBoard) -> None:
    board.limits.cap("cpu", 600_000, 0)
    board.files.files[MAX0] = "400000"
    by_file = {each.file: each for each in board.limits.release()}
    assert not by_file[MAX0].restored
    assert not by_file[MIN0].restored
    assert board.files.number(MIN0) == 600_000


def test_a_baseline_that_another_has_put_back_is_no_change(board: MemoryBoard) -> None:
    board.limits.cap("cpu", 1_000_000, 0)
    board.files.files[MAX0] = "1400000"
    assert board.limits.cap("cpu", 1_000_000, 0)[0].note == ""
    board.files.files[MAX0] = "1400000"
    board.files.writes.clear()
    assert board.limits.release()[0].restored
    assert board.files.writes == []


def test_a_policy_that_went_away_is_said_and_forgotten(board: MemoryBoard) -> None:
    board.limits.cap("cpu", 1_000_000)
    del board.files.files[MAX0]
    board.limits.release()
    assert board.limits.held == []
    assert MAX0 not in board.files.files
    assert board.files.number(MAX4) == 2_000_000


def test_while_the_kernel_cools_no_baseline_is_taken(board: MemoryBoard) -> None:
    board.files.cooled = {MAX0: 600_000}
    board.files.files["sys/devices/virtual/thermal/cooling_device0/cur_state"] = "4"
    with pytest.raises(GovernorRefusedError) as refused:
        board.limits.cap("cpu", 400_000, 0)
    assert code_of(refused) == "throttled"
    assert board.files.writes == []
    # Heat in the processor says nothing of the GPU.
    assert board.limits.cap("gpu", 300_000_000)[0].written == 300_000_000


def test_heat_after_a_cap_does_not_keep_from_restoring(board: MemoryBoard) -> None:
    state = "sys/devices/virtual/thermal/cooling_device0/cur_state"
    board.limits.cap("cpu", 1_000_000, 0)
    board.files.cooled = {MAX0: 600_000}
    board.files.files[state] = "4"
    assert board.limits.describe()[0][0].baseline == 1_400_000
    assert board.limits.cap("cpu", 800_000, 0)[0].read_back == 600_000
    restorations = board.limits.release()
    assert all(each.restored for each in restorations)
    assert "600000" in restorations[0].note
    board.files.cooled = {}
    board.files.files[state] = "0"
    assert board.as_found


def test_heat_that_ends_leaves_the_cap_ours(board: MemoryBoard) -> None:
    state = "sys/devices/virtual/thermal/cooling_device0/cur_state"
    board.limits.cap("cpu", 1_000_000, 0)
    board.files.cooled = {MAX0: 600_000}
    board.files.files[state] = "4"
    board.limits.cap("cpu", 800_000, 0)
    board.files.cooled = {}
    board.files.files[state] = "0"
    assert board.limits.release()[0].restored
    assert board.as_found


class Killed(BaseException):
    pass


@pytest.mark.parametrize("writes", range(9))
def test_a_helper_that_is_killed_at_any_write_is_made_good(writes: int) -> None:
    board = MemoryBoard(jetson_files())
    left = [writes]

    def die() -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1

    board.files.before_write = die
    with pytest.raises(Killed):  # noqa: PT012 - which of them it is depends on the parameter
        board.limits.cap("cpu", 400_000)
        board.limits.cap("gpu", 300_000_000)
        board.limits.cap("cpu", 600_000)
        board.limits.release()
    board.files.before_write = lambda: None
    assert all(each.restored for each in board.restart().recover())
    assert board.as_found
    assert board.journal.entries == []
    assert board.limits.held == []


def test_a_kill_between_writing_and_reading_back_is_made_good(board: MemoryBoard) -> None:
    board.files.files[EMC] = "665600000"
    board.journal.entries = [Entry(EMC, 3_199_000_000, 1_000_000_000, None)]
    assert board.restart().recover()[0].restored
    assert board.as_found


def test_a_journal_can_name_no_file_but_those_of_knobs(
    board: MemoryBoard, caplog: pytest.LogCaptureFixture
) -> None:
    planted = "sys/devices/platform/fan/pwm1"
    board.files.files[planted] = "5"
    board.journal.entries = [
        Entry(planted, 255, 5, 5),
        Entry("etc/passwd", 255, 5, 5),
        Entry(f"{POLICY.format(0)}/scaling_available_frequencies", 255, 5, None),
    ]
    restorations = board.restart().recover()
    assert [each.restored for each in restorations] == [False] * 3
    assert board.files.writes == []
    assert board.journal.entries == []
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 4


def test_an_empty_journal_leaves_nothing_to_do(board: MemoryBoard) -> None:
    assert board.limits.recover() == []
    assert board.files.writes == []


def test_knobs_are_described_as_they_stand(board: MemoryBoard) -> None:
    board.limits.cap("cpu", 600_000, 0)
    states, left_out = board.limits.describe()
    assert left_out == []
    by_name = {state.knob: state for state in states}
    state = by_name["cpu:0"]
    assert (state.current, state.baseline, state.floor, state.capped) == (
        600_000,
        1_400_000,
        200_000,
        True,
    )
    # What lies above the baseline is not on offer.
    assert state.steps[-1] == 1_400_000
    assert not by_name["cpu:4"].capped
    assert by_name["gpu"].unit == "Hz"
