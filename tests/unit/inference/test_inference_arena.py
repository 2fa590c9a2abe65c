from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from node.inference.arena import Arena


@pytest.fixture
def arena() -> Iterator[Arena]:
    arena = Arena.create("test")
    yield arena
    arena.close()


def test_what_is_written_is_read(arena: Arena) -> None:
    arena.write(b"hello")
    assert arena.read(5) == b"hello"
    assert bytes(arena.view(5)) == b"hello"


def test_it_grows_and_old_views_stay_valid(arena: Arena) -> None:
    arena.write(b"a" * 10)
    small = arena.view(10)
    big = os.urandom(3 << 20)
    arena.write(big)
    assert bytes(arena.view(len(big))) == big
    assert bytes(small) == big[:10]


def test_a_shorter_write_leaves_the_size(arena: Arena) -> None:
    arena.write(b"longer text")
    arena.write(b"short")
    assert bytes(arena.view(5)) == b"short"
    assert os.fstat(arena.fd).st_size == len("longer text")


def test_another_holder_sees_the_same_bytes(arena: Arena) -> None:
    other = Arena(os.dup(arena.fd))
    other.write(b"from the other end")
    assert arena.read(18) == b"from the other end"
    other.close()


def test_reading_past_the_end_gives_less_and_mapping_is_refused(arena: Arena) -> None:
    arena.write(b"abc")
    assert arena.read(10) == b"abc"
    with pytest.raises(ValueError, match="holds 3 bytes, asked for 10"):
        arena.view(10)


def test_nothing_is_a_view_as_well(arena: Arena) -> None:
    assert bytes(arena.view(0)) == b""


def test_nobody_can_shrink_it_under_a_mapping(arena: Arena) -> None:
    arena.write(b"x" * 4096)
    with pytest.raises(PermissionError):
        os.ftruncate(arena.fd, 0)
