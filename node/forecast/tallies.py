"""Running sums of a forecast: none grows with the length of the flight but by orbit and contact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from node.core.contacts import Contact
from node.core.emulation import Emulation
from node.forecast.model import Energy

J_PER_WH = 3600.0
_LEAST_TURN = 1e-3
"""A smaller turn of the state of charge is no turning point: it adds no full cycle to speak of."""


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

    def extend(self, charges: Iterable[float]) -> None:
        """Take the next states of charge."""
        high, before, deepest = self._high, self._before, self.deepest
        for charge in charges:
            if self._renew and charge > before:
                high = before
                self._renew = False
            before = charge
            if charge > high:
                high = charge
            elif high - charge > deepest:
                deepest = high - charge
        self._high, self._before, self.deepest = high, before, deepest

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

    def extend(self, charges: Iterable[float]) -> None:
        """Take the next states of charge."""
        low, high, rising = self._low, self._high, self._rising
        for charge in charges:
            if charge < low:
                low = charge
            elif charge > high:
                high = charge
            if rising is not False and high - charge >= _LEAST_TURN:
                if rising:
                    self._points.append(high)
                rising = False
                low = high = charge
            elif rising is not True and charge - low >= _LEAST_TURN:
                if rising is False:
                    self._points.append(low)
                rising = True
                low = high = charge
        self._low, self._high, self._rising = low, high, rising

    def points(self) -> list[float]:
        """Return all of them; the last extreme is one."""
        if self._rising is None:
            return list(self._points)
        return [*self._points, self._high if self._rising else self._low]


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
