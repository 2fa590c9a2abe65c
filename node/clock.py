"""Mission time: an affine map of the monotonic clock.

Mission time zero is the scenario's epoch. The processes of one host share mission time through an
*anchor*: a small file with the monotonic instant of mission time zero, the rate and the boot id of
the machine. A stepped wall clock never moves mission time, since nothing here reads it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from node.errors import ConfigError, Problem

_MACHINE_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Anchor(Struct, frozen=True):
    """What the anchor file holds."""

    machine_boot_id: str
    monotonic_zero_s: float
    """Monotonic clock at mission time zero."""
    rate: float


class MissionClock:
    """Reads mission seconds; ``rate`` mission seconds pass in one real second."""

    def __init__(self, monotonic_zero_s: float, rate: float, epoch_utc_s: float) -> None:
        self.rate = rate
        self.epoch_utc_s = epoch_utc_s
        self._monotonic_zero_s = monotonic_zero_s

    def now(self) -> float:
        """Mission seconds now; negative before mission time zero."""
        return (time.monotonic() - self._monotonic_zero_s) * self.rate

    def wall_delay(self, mission_s: float) -> float:
        """Real seconds from now until a mission time; zero if it has passed."""
        return max(0.0, (mission_s - self.now()) / self.rate)

    def utc_s(self, mission_s: float) -> float:
        """POSIX seconds of the emulated UTC instant."""
        return self.epoch_utc_s + mission_s

    @classmethod
    def from_anchor(
        cls,
        path: Path,
        rate: float,
        epoch_utc_s: float,
        *,
        start_s: float = 0.0,
    ) -> MissionClock:
        """Share the clock of an anchor file; make the file where it is missing or of an old boot.

        Args:
            path: the anchor file.
            rate: mission seconds a real second.
            epoch_utc_s: POSIX seconds of mission time zero.
            start_s: mission time now, if the file has to be made.

        Raises:
            ConfigError: the file is there and says another rate, or cannot be read.
        """
        anchor = read_anchor(path)
        if anchor is None:
            with _locked(path.parent):
                # Another process may have made it meanwhile, and all must share one.
                anchor = read_anchor(path)
                if anchor is None:
                    anchor = write_anchor(path, rate, time.monotonic() - start_s / rate)
        if anchor.rate != rate:
            raise ConfigError(
                [
                    Problem(
                        str(path), None, "rate", f"the anchor runs at {anchor.rate}, not at {rate}"
                    )
                ]
            )
        return cls(anchor.monotonic_zero_s, anchor.rate, epoch_utc_s)


def machine_boot_id() -> str:
    """Identify this boot of the machine: the monotonic clock means nothing beyond it."""
    try:
        return _MACHINE_BOOT_ID.read_text().strip()
    except OSError:
        return "unknown"


def read_anchor(path: Path) -> Anchor | None:
    """Return the anchor of this boot of the machine, or None where there is none.

    Raises:
        ConfigError: the file is there and cannot be read.
    """
    try:
        anchor = msgspec.json.decode(path.read_bytes(), type=Anchor)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError([Problem(str(path), None, "", f"not a clock anchor: {error}")]) from error
    return anchor if anchor.machine_boot_id == machine_boot_id() else None


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of the same section; the folder itself is the lock."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_anchor(path: Path, rate: float, monotonic_zero_s: float) -> Anchor:
    """Write an anchor file in one step, so that no reader sees half of it."""
    anchor = Anchor(machine_boot_id(), monotonic_zero_s, rate)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_bytes(msgspec.json.encode(anchor))
    temporary.replace(path)
    return anchor


def epoch_utc_s(epoch: datetime) -> float:
    """POSIX seconds of a scenario's epoch (checked to be aware when it was loaded)."""
    return epoch.timestamp()
