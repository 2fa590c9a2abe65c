import pytest
from spacecraft import EPOCH_UTC_S, MASPALOMAS, SVALBARD

from node.core.contacts import Contact, plan_contacts
from node.physics.passes import Pass


def seen(station: object, aos_s: float, los_s: float, tca_s: float | None = None) -> Pass:
    middle_s = (aos_s + los_s) / 2 if tca_s is None else tca_s
    return Pass(
        station,  # type: ignore[arg-type]
        EPOCH_UTC_S + aos_s,
        EPOCH_UTC_S + middle_s,
        EPOCH_UTC_S + los_s,
        45.0,
    )


def plan(*passes: Pass) -> tuple[Contact, ...]:
    return plan_contacts(passes, EPOCH_UTC_S, 15.0)


def test_a_pass_opens_after_acquisition() -> None:
    assert plan(seen(SVALBARD, 100.0, 700.0)) == (
        Contact(SVALBARD, 100.0, 400.0, 700.0, 45.0, 115.0),
    )


def test_the_radio_keeps_its_station_and_takes_what_is_left_of_the_next() -> None:
    first, second = plan(seen(MASPALOMAS, 500.0, 900.0, 650.0), seen(SVALBARD, 100.0, 700.0))
    assert (first.station, first.aos_s, first.los_s) == (SVALBARD, 100.0, 700.0)
    assert second == Contact(MASPALOMAS, 700.0, 700.0, 900.0, 45.0, 715.0)


def test_equal_passes_are_taken_by_name() -> None:
    [only] = plan(seen(SVALBARD, 100.0, 700.0), seen(MASPALOMAS, 100.0, 700.0))
    assert only.station is MASPALOMAS


@pytest.mark.parametrize(("los_s", "count"), [(115.0, 0), (115.5, 1)])
def test_a_pass_too_short_to_lock_is_left_out(los_s: float, count: int) -> None:
    assert len(plan(seen(SVALBARD, 100.0, los_s))) == count


def test_a_pass_that_is_left_out_takes_nothing_from_the_next() -> None:
    [contact] = plan(seen(SVALBARD, 100.0, 110.0), seen(MASPALOMAS, 105.0, 700.0))
    assert contact.aos_s == 105.0
