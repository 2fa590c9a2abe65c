"""Rules about the link: what stands around the stations, and how the channels are coded.

A rule names the top-level tables that it needs as its parameters and yields findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from node.config import wording
from node.config.finding import Finding
from node.config.scenario import GroundStation, Radio
from node.physics.modcods import CODINGS


def horizon_masks_go_round(ground_station: list[GroundStation]) -> Iterator[Finding]:
    """The azimuths of a mask rise, so that it has one elevation at each."""
    for index, station in enumerate(ground_station):
        azimuths_deg = [azimuth_deg for azimuth_deg, _ in station.horizon_mask]
        for entry, (before, after) in enumerate(pairwise(azimuths_deg), start=1):
            if after <= before:
                yield Finding(
                    f"$.ground_station[{index}].horizon_mask[{entry}][0]",
                    f"must rise: {after:g} does not exceed the azimuth before, {before:g}",
                )


def codings_exist(radio: Radio) -> Iterator[Finding]:
    """A channel is coded by a table, or by one mode of a table."""
    for name, channel in (("uplink", radio.uplink), ("downlink", radio.downlink)):
        if channel.coding not in CODINGS:
            hint = wording.did_you_mean(channel.coding, CODINGS)
            known = "" if hint else '; write "dvb-s2", "ccsds" or the name of a mode of either'
            yield Finding(
                f"$.radio.{name}.coding",
                f"there is no coding {wording.quoted(channel.coding)}{hint}{known}",
            )


RULES: tuple[Callable[..., Iterator[Finding]], ...] = (horizon_masks_go_round, codings_exist)
