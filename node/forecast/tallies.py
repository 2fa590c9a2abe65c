"""Running sums of a forecast: none grows with the length of the flight but by orbit and contact."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from node.core.contacts import Contact
from node.core.emulation import Emulation
from node.forecast.model import Energy, Spread

J_PER_WH = 3600.0
_LEAST_TURN = 1e-3
"""A smaller turn of the state of charge is no turning point: it adds no full cycle to speak of."""


@dataclass(slots=True)
class Extent:
    """Lowest, highest and mean over time."""

    minimum: float = inf
    maximum: float = -inf
    product: float = 0.0
    """Sum of value times seconds."""

    def add(self, value: float, step_s: float) -> None:
        """Take a step that ended at this value."""
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        self.product += value * step_s

    def spread(self, duration_s: float) -> Spread:
        """Return what was seen in ``duration_s``."""
        return Spread(self.minimum, self.product / duration_s, self.maximum)


class Meters(NamedTuple):
    """The emulation's cumulative joules at one instant."""

    generated_j: float
    consumed_j: float
    board_j: float
    curtailed_j: float
    battery_lost_j: float

    @classmethod
    def read(cls, emulation: Emulation) -> Meters:
        """Read them now."""
        return cls(
            emulation.solar_generated_j,
            emulation.load_consumed_j,
            emulation.board_consumed_j,
            emulation.solar_curtailed_j,
            emulation.battery_lost_j,
        )

    def until(self, later: Meters, converter_efficiency: float) -> Energy:
        """Return the balance from here to ``later``."""
        board_wh = (later.board_j - self.board_j) / J_PER_WH
        return Energy(
            generated_wh=(later.generated_j - self.generated_j) / J_PER_WH,
            consumed_wh=(later.consumed_j - self.consumed_j) / J_PER_WH,
            board_wh=board_wh,
            converter_loss_wh=board_wh * (1.0 / converter_efficiency - 1.0),
            battery_loss_wh=(later.battery_lost_j - self.battery_lost_j) / J_PER_WH,
            curtailed_wh=(later.curtailed_j - self.curtailed_j) / J_PER_WH,
        )


class Falls:
    """How far the state of charge has fallen from its last high.

    An orbit that begins while the battery discharges keeps the high of before: a fall that the
    beginning of an orbit cuts in two is as deep as it is.
    """

    def __init__(self, state_of_charge: float) -> None:
        self._high = state_of_charge
        self._before = state_of_charge
        self._renew = False
        self.deepest = 0.0

    def add(self, state_of_charge: float) -> None:
        """Take the next state of charge."""
        if self._renew and state_of_charge > self._before:
            self._high = self._before
            self._renew = False
        self._before = state_of_charge
        if state_of_charge > self._high:
            self._high = state_of_charge
        elif self._high - state_of_charge > self.deepest:
            self.deepest = self._high - state_of_charge

    def next_orbit(self) -> float:
        """Return the deepest fall of the orbit that ends."""
        deepest, self.deepest = self.deepest, 0.0
        self._renew = True
        return deepest


class TurningPoints:
    """The states of charge at which their course turns, small wiggles left out."""

    def __init__(self, state_of_charge: float) -> None:
        self._points = [state_of_charge]
        self._low = self._high = state_of_charge
        self._rising: bool | None = None

    def add(self, state_of_charge: float) -> None:
        """Take the next state of charge."""
        self._low = min(self._low, state_of_charge)
        self._high = max(self._high, state_of_charge)
        if self._rising is not False and self._high - state_of_charge >= _LEAST_TURN:
            self._turn(self._high, state_of_charge, rising=False)
        elif self._rising is not True and state_of_charge - self._low >= _LEAST_TURN:
            self._turn(self._low, state_of_charge, rising=True)

    def points(self) -> list[float]:
        """Return all of them; the last extreme is one."""
        if self._rising is None:
            return list(self._points)
        return [*self._points, self._high if self._rising else self._low]

    def _turn(self, extreme: float, state_of_charge: float, *, rising: bool) -> None:
        if self._rising is not None:
            self._points.append(extreme)
        self._rising = rising
        self._low = self._high = state_of_charge


@dataclass(slots=True)
class PassTally:
    """One contact as it goes on."""

    contact: Contact
    close_s: float
    """The node says goodbye."""
    linked_s: float = 0.0
    open_s: float = 0.0
    """Seconds between the modem's lock and the goodbye that were flown."""
    uplink_bits: float = 0.0
    """What the link could carry."""
    downlink_bits: float = 0.0
    up_bytes: int = 0
    down_bytes: int = 0
    rates_bps: tuple[float, float] = field(default=(0.0, 0.0))
    """At the end of the last step."""

    def carry(self, before_s: float, now: float, rates_bps: tuple[float, float]) -> None:
        """Count what the link could carry in a step: the mean of the rates at its ends."""
        open_s = min(now, self.close_s) - max(before_s, self.contact.open_s)
        if open_s > 0.0:
            self.open_s += open_s
            self.uplink_bits += 0.5 * open_s * (self.rates_bps[0] + rates_bps[0])
            self.downlink_bits += 0.5 * open_s * (self.rates_bps[1] + rates_bps[1])
        self.rates_bps = rates_bps
