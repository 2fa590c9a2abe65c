"""Contacts of a flight and what they could carry, summed by station."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from node.forecast.model import Direction, LinkBudget, PassRow, StationContact
from node.forecast.plan import SECONDS_PER_DAY
from node.forecast.tallies import PassTally


def pass_rows(passes: Iterable[PassTally], end_s: float) -> list[PassRow]:
    """Return a row for each contact; what lies before the flight or after it is cut off."""
    return [
        PassRow(
            station=tally.contact.station.name,
            aos_s=max(0.0, tally.contact.aos_s),
            tca_s=tally.contact.tca_s,
            los_s=min(end_s, tally.contact.los_s),
            max_elevation_deg=tally.contact.max_elevation_deg,
            linked_s=tally.linked_s,
            uplink_capacity_bytes=int(tally.uplink_bits / 8),
            downlink_capacity_bytes=int(tally.downlink_bits / 8),
            up_bytes=tally.up_bytes,
            down_bytes=tally.down_bytes,
        )
        for tally in passes
    ]


def direction(
    name: str,
    rows: Sequence[PassRow],
    *,
    demanded_bytes: int,
    busy_s: float,
    open_s: float,
    days: float,
) -> Direction:
    """Sum up one direction, ``up`` or ``down``."""
    carried = sum(getattr(row, f"{name}_bytes") for row in rows)
    capacity = sum(getattr(row, f"{name}link_capacity_bytes") for row in rows)
    return Direction(
        bytes_total=carried,
        bytes_per_day=carried / days,
        capacity_bytes=capacity,
        capacity_bytes_per_day=capacity / days,
        demanded_bytes=demanded_bytes,
        busy_s=busy_s,
        open_s=open_s,
    )


def link_budget(
    stations: Iterable[str],
    rows: Sequence[PassRow],
    uplink: Direction,
    downlink: Direction,
    end_s: float,
) -> LinkBudget:
    """Sum up all contacts."""
    days = end_s / SECONDS_PER_DAY
    return LinkBudget(
        contacts=len(rows),
        contacts_per_day=len(rows) / days,
        minutes_per_day=_minutes(rows) / days,
        max_gap_s=_longest_gap_s(rows, end_s),
        uplink=uplink,
        downlink=downlink,
        stations=[
            _station(name, [row for row in rows if row.station == name], end_s) for name in stations
        ],
    )


def _station(name: str, rows: Sequence[PassRow], end_s: float) -> StationContact:
    days = end_s / SECONDS_PER_DAY
    return StationContact(
        station=name,
        contacts=len(rows),
        contacts_per_day=len(rows) / days,
        minutes_per_day=_minutes(rows) / days,
        mean_minutes=_minutes(rows) / len(rows) if rows else 0.0,
        max_gap_s=_longest_gap_s(rows, end_s),
        uplink_capacity_bytes=sum(row.uplink_capacity_bytes for row in rows),
        downlink_capacity_bytes=sum(row.downlink_capacity_bytes for row in rows),
        up_bytes=sum(row.up_bytes for row in rows),
        down_bytes=sum(row.down_bytes for row in rows),
    )


def _minutes(rows: Iterable[PassRow]) -> float:
    return sum(row.los_s - row.aos_s for row in rows) / 60.0


def _longest_gap_s(rows: Iterable[PassRow], end_s: float) -> float:
    edges = [0.0, *(edge for row in rows for edge in (row.aos_s, row.los_s)), end_s]
    return max(aos_s - los_s for los_s, aos_s in zip(edges[::2], edges[1::2], strict=True))
