import argparse
from pathlib import Path

import pytest

from groundlink.commands import broker, relay


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    relay.add_arguments(parser)
    needed = ["--scenario", "s.toml", "--node", "oen-01", "--anchor", "clock.json"]
    return parser.parse_args([*needed, *arguments])


def test_defaults_are_loopback_and_real_time() -> None:
    args = parse()
    assert args.listen == ("127.0.0.1", 1884)
    assert args.broker == ("127.0.0.1", 1883)
    assert args.report is None
    assert args.rate == 1.0
    assert args.frame_loss == 0.0
    assert args.outage == []
    assert args.anchor == Path("clock.json")


def test_the_broker_listens_on_loopback() -> None:
    parser = argparse.ArgumentParser()
    broker.add_arguments(parser)
    assert parser.parse_args([]).listen == ("127.0.0.1", 1883)


def test_outages_add_up() -> None:
    assert parse("--outage", "10:20", "--outage", "30.5:40").outage == [(10.0, 20.0), (30.5, 40.0)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:1883", ("127.0.0.1", 1883)),
        ("broker.example:0", ("broker.example", 0)),
        ("[::1]:65535", ("::1", 65535)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert relay.address(text) == expected


@pytest.mark.parametrize("text", ["", "1883", ":1883", "host:", "host:65536", "::1:1883", "a:b"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected HOST:PORT"):
        relay.address(text)


@pytest.mark.parametrize("name", ["", "-a", "Node", "a/b", "+", "a" * 33, "a\n"])
def test_names_that_would_break_a_topic(name: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected up to 32"):
        relay.node_name(name)


@pytest.mark.parametrize("text", ["0", "-1", "100001", "nan", "inf", "fast"])
def test_clock_rates_that_are_none(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected a number"):
        relay.clock_rate(text)


@pytest.mark.parametrize("text", ["-0.1", "0.91", "nan", "some"])
def test_loss_ratios_that_are_none(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected a number"):
        relay.loss_ratio(text)


@pytest.mark.parametrize("text", ["", "10", "20:10", "10:10", "a:b", "1:nan"])
def test_spans_that_are_none(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected"):
        relay.span(text)


def test_the_largest_values_are_taken() -> None:
    assert relay.node_name("a" * 32) == "a" * 32
    assert relay.clock_rate("100000") == 100_000.0
    assert relay.loss_ratio("0.9") == 0.9
    assert relay.span("-5:5") == (-5.0, 5.0)
