from hypothesis import given
from hypothesis import strategies as st

from node.transfer.ranges import RangeSet, Span

spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def members(items: list[Span]) -> set[int]:
    return {at for start, stop in items for at in range(start, stop)}


def test_neighbours_melt_together() -> None:
    assert RangeSet([(0, 10), (20, 30)]).spans == ((0, 10), (20, 30))
    melted = RangeSet([(0, 10), (20, 30), (10, 20)])
    assert melted.spans == ((0, 30),)
    assert melted.total() == 30


def test_empty_and_backward_ranges_add_nothing() -> None:
    ranges = RangeSet([(5, 5), (9, 3)])
    assert ranges.spans == ()
    assert ranges.total() == 0


def test_what_is_covered() -> None:
    ranges = RangeSet([(0, 10), (20, 30)])
    assert ranges.covers(0, 10)
    assert ranges.covers(22, 28)
    assert not ranges.covers(0, 11)
    assert not ranges.covers(9, 21)
    assert ranges.covers(15, 15)
    assert RangeSet().covers(0, 0)
    assert not RangeSet().covers(0, 1)


def test_the_first_gap() -> None:
    ranges = RangeSet([(0, 10), (20, 30)])
    assert ranges.first_gap(40, 100) == (10, 20)
    assert ranges.first_gap(40, 4) == (10, 14)
    assert ranges.first_gap(40, 100, [(10, 20)]) == (30, 40)
    assert ranges.first_gap(40, 3, [(10, 20)]) == (30, 33)
    assert ranges.first_gap(40, 100, [(12, 40)]) == (10, 12)
    assert ranges.first_gap(30, 100, [(10, 20)]) is None
    assert RangeSet().first_gap(0, 100) is None
    assert RangeSet([(5, 9)]).first_gap(3, 100) == (0, 3)


def test_no_gap_lies_beyond_the_end() -> None:
    ranges = RangeSet([(20, 30)])
    assert ranges.first_gap(10, 100) == (0, 10)
    assert ranges.first_gap(20, 100) == (0, 20)
    assert RangeSet([(0, 5), (20, 30)]).first_gap(5, 100) is None


@given(spans)
def test_a_range_set_is_a_set(items: list[Span]) -> None:
    ranges = RangeSet(items)
    held = members(items)
    assert members(list(ranges.spans)) == held
    assert ranges.total() == len(held)
    for (_, stop), (start, _) in zip(ranges.spans, ranges.spans[1:], strict=False):
        assert stop < start


@given(spans, spans, st.integers(0, 45), st.integers(1, 10))
def test_gaps_are_exactly_what_is_not_there(
    items: list[Span], others: list[Span], stop: int, limit: int
) -> None:
    ranges = RangeSet(items)
    absent = set(range(stop)) - members(items)
    free = absent - members(others)
    gap = ranges.first_gap(stop, limit, [(start, end) for start, end in others if start < end])
    if not free:
        assert gap is None
        return
    assert gap is not None
    assert gap[0] == min(free)
    assert 0 < gap[1] - gap[0] <= limit
    assert set(range(*gap)) <= free
