"""Power of a Raspberry Pi 5 from its power management chip, asked by the firmware's mailbox.

The chip measures current and voltage of twelve rails behind its converters. What it does not see:
the 5 V supply itself (USB, HATs, the fan) and the converters' own losses. The power of the whole
board is therefore modelled from the sum of the rails by a fit that users of the board published,

    P_board = 1.1451 sum + 0.5879 W

(pitop's documentation; no error is published with it). The rails are what was measured.
"""

from __future__ import annotations

import errno
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator

from msgspec import Struct

from node.board.health import Failures
from node.board.mailbox import Mailbox, VcioMailbox
from node.board.meter import MeterSample
from node.board.parts import Draft
from node.board.sysfs import SysFs
from node.core.events import RailReading, Source
from node.errors import SensorError

_log = logging.getLogger(__name__)
_COMMAND = "pmic_read_adc"
_LINE = re.compile(r"^\s*(\w+)_([AV])\s+(?:current|volt)\(\d+\)=(-?[\d.]+)[AV]\s*$", re.MULTILINE)
_FIT_GAIN = 1.1451
_FIT_OFFSET_W = 0.5879
_PERIOD_S = 0.5
"""Between two questions: each keeps the firmware busy for some 23 ms."""
_LOST_AFTER_S = 5.0
_GOODBYE_S = 0.5
_REMEDY = (
    'udev rule KERNEL=="vcio|vcio_gencmd", GROUP="video", MODE="0660", '
    "and the service's user in group video"
)


class PmicSample(Struct, frozen=True):
    """One answer of the chip."""

    rails: tuple[RailReading, ...]
    power_w: float
    energy_j: float
    wall_s: float


class PmicMeter:
    """Asks the chip twice a second from a thread of its own, so that no tick waits for firmware."""

    name = "pmic"
    scope = "board"
    source = Source.MODELLED
    model = "pi5-pmic-fit"
    error_ratio = None

    def __init__(self, mailbox: Mailbox, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask once.

        Raises:
            SensorError: the firmware has no answer.
        """
        self._mailbox = mailbox
        self._clock = clock
        self._failures = Failures()
        self._last = PmicSample((), 0.0, 0.0, float("-inf"))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pmic", daemon=True)
        self._last = self._ask()

    @property
    def ok(self) -> bool:
        """The last question was answered, and not long ago."""
        return self._failures.ok

    def start(self) -> None:
        """Go on asking until closed."""
        self._thread.start()

    def find(self) -> None:
        """Nothing to look for: the mailbox never moves."""

    def take(self) -> None:
        """Ask once; an answer that cannot be had leaves the last to grow old."""
        try:
            self._last = self._ask()
        except SensorError as error:
            self._failures.failed(self.name, error)
            return
        self._failures.worked(self.name)

    def sample(self, draft: Draft) -> MeterSample | None:
        """Give the last answer with its age; None where it is too old or the chip fails."""
        last = self._last
        age_s = max(0.0, draft.wall_s - last.wall_s)
        if age_s > _LOST_AFTER_S:
            self._failures.failed(self.name, "no answer")
        if not self.ok:
            return None
        draft.rails += last.rails
        return MeterSample(last.power_w, last.energy_j, last.wall_s, age_s)

    def close(self) -> None:
        """Ask no more."""
        self._stop.set()
        if self._thread.is_alive():
            # A firmware that hangs must not hold the stop: the thread ends with the process.
            self._thread.join(timeout=_GOODBYE_S)
        if not self._thread.is_alive():
            self._mailbox.close()

    def _run(self) -> None:
        while not self._stop.wait(_PERIOD_S):
            self.take()

    def _ask(self) -> PmicSample:
        rails = tuple(read_rails(self._mailbox.ask(_COMMAND)))
        wall_s = self._clock()
        measured = [rail.power_w for rail in rails if rail.power_w is not None]
        if not measured:
            raise SensorError(errno.ENODATA, "no rail with current and voltage", _COMMAND)
        power_w = board_power_w(sum(measured))
        last = self._last
        energy_j = last.energy_j
        if last.rails:
            energy_j += 0.5 * (last.power_w + power_w) * max(0.0, wall_s - last.wall_s)
        return PmicSample(rails, power_w, energy_j, wall_s)


def board_power_w(rails_w: float) -> float:
    """Model the power of the whole board from the sum of its rails."""
    return _FIT_GAIN * rails_w + _FIT_OFFSET_W


def read_rails(text: str) -> Iterator[RailReading]:
    """Pair currents and voltages by name: their numbers differ, and so do firmwares.

    Yields:
        Every rail; one whose current is not measured has a voltage alone.
    """
    measured: dict[str, dict[str, float]] = {"A": {}, "V": {}}
    for name, unit, figure in _LINE.findall(text):
        measured[unit][name] = float(figure)
    for name, voltage_v in measured["V"].items():
        current_a = measured["A"].get(name)
        power_w = None if current_a is None else max(0.0, voltage_v * current_a)
        yield RailReading(name, power_w, voltage_v)


def open_pmic(
    sysfs: SysFs,
    mailbox: Callable[[SysFs], Mailbox] = VcioMailbox,
    clock: Callable[[], float] = time.monotonic,
) -> PmicMeter | None:
    """Open the chip; None where there is none or it may not be asked, which the log says."""
    opened: Mailbox | None = None
    try:
        opened = mailbox(sysfs)
        return PmicMeter(opened, clock)
    except SensorError as error:
        if opened is not None:
            opened.close()
        if error.errno in (errno.EACCES, errno.EPERM):
            _log.warning("pmic_not_permitted error=%s remedy=%r", error, _REMEDY)
        else:
            _log.info("pmic_not_there error=%s", error)
        return None
