"""How busy the processor is, from the jiffies of ``/proc/stat``."""

from __future__ import annotations

from node.board.parts import Draft
from node.board.sysfs import SysFs

_PATH = "proc/stat"
_IDLE, _IOWAIT = 3, 4
_COUNTED = 8
"""user, nice, system, idle, iowait, irq, softirq, steal; guest time is inside user already."""


class CpuMeter:
    """Utilisation of all cores together between calls."""

    name = "cpu"

    def __init__(self, sysfs: SysFs) -> None:
        """Begin the first interval.

        Raises:
            SensorError: the file could not be read.
        """
        self._sysfs = sysfs
        self._last = self._jiffies()

    def find(self) -> None:
        """Nothing to look for: the file never moves."""

    def read(self, draft: Draft) -> bool:
        """Fill in the busy share, 0 to 1, since the call before; none where no time passed.

        Raises:
            SensorError: the file could not be read.
        """
        now = self._jiffies()
        if now is None or self._last is None:
            self._last = now
            return now is not None
        busy = now[0] - self._last[0]
        total = now[1] - self._last[1]
        if total < 0:
            # Counters fall when a core goes offline: begin anew from here.
            self._last = now
        if total > 0:
            self._last = now
            draft.cpu_utilisation_ratio = min(1.0, max(0.0, busy / total))
        return True

    def _jiffies(self) -> tuple[int, int] | None:
        text = self._sysfs.read(_PATH)
        if not text or not text.startswith("cpu "):
            return None
        counts = [int(part) for part in text.split("\n", 1)[0].split()[1 : 1 + _COUNTED]]
        total = sum(counts)
        return total - counts[_IDLE] - counts[_IOWAIT], total
