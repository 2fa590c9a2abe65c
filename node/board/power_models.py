"""Published models of the power of boards that have no sensor of their own.

P = idle + k u, u the busy share of all cores together, for the whole board. The coefficients are
the linear fits of PowerJoular (A. Noureddine, commit c9358cb; made with a stepped CPU load and a
PowerSpy2 mains meter, joular/cpupowerbench; what else was plugged in is not told). PowerJoular
publishes no error of them; ``error_ratio`` is the larger deviation, at rest or with all cores
busy, from what others measured, named with each model.

Limits: clock, memory, network, GPU and what hangs at the board's ports are outside. A fit belongs
to one revision; others of the same model use it as PowerJoular does. Left out, as what is there
contradicts measurements or cannot be held to any:

* the polynomials, that of the Pi 5B above all: it falls from 8.7 W at rest to 3.7 W under load;
* the linear fit of the Pi 5B, from the same data, and 11 % below its own power chip under load;
* Pi 2B (36 % below the maker's figure under load), Pi 400, Pi 1 and Zero W;
* 32-bit systems on a Pi 4B: there is no ONNX Runtime for them.
"""

from __future__ import annotations

from typing import NamedTuple

from node.board.modelled import BoardLoad


class LinearModel(NamedTuple):
    """P = idle + (active - idle) x utilisation of all cores together."""

    name: str
    idle_w: float
    active_w: float
    error_ratio: float | None = None
    """Larger deviation from what others measured; None where nobody has told."""

    def power_w(self, load: BoardLoad) -> float:
        """Power of the whole board."""
        return self.idle_w + (self.active_w - self.idle_w) * load.cpu_utilisation_ratio


class _Fit(NamedTuple):
    """A model and the names of boards, as the device tree has them, that it belongs to."""

    board: str
    """How the name begins; the first that fits counts."""
    model: LinearModel


_FITS = (
    # The maker's figures, at 5.1 V: 0.6 A at rest, 1.2 A under stress, by which the fit is -25 %
    # and +11 % off (raspberrypi/documentation, power-supplies.adoc; HDMI, keyboard and mouse
    # plugged in, Ethernet up).
    _Fit(
        "Raspberry Pi 4 Model B Rev 1.1",
        LinearModel("powerjoular-rbp4b1.1-64", 2.3073, 2.3073 + 4.4958, 0.25),
    ),
    _Fit(
        "Raspberry Pi 4 Model B",
        LinearModel("powerjoular-rbp4b1.2-64", 2.2857, 2.2857 + 4.5344, 0.25),
    ),
    # Raspberry Pi Dramble, 1.9 W at rest and 5.1 W with every core busy: +5 % and +4 %.
    _Fit(
        "Raspberry Pi 3 Model B Plus",
        LinearModel("powerjoular-rbp3b+1.3", 2.0022, 2.0022 + 3.2983, 0.05),
    ),
    # The maker's figures, at 5.1 V: 0.30 A and 0.85 A, so -30 % and +5 %.
    _Fit(
        "Raspberry Pi 3 Model B",
        LinearModel("powerjoular-rbp3b1.2", 1.0782, 1.0782 + 3.4774, 0.30),
    ),
)


def published_model(board: str) -> LinearModel | None:
    """Find the model of a board by its name in the device tree; None where none is sound."""
    for fit in _FITS:
        if board == fit.board or board.startswith(f"{fit.board} "):
            return fit.model
    return None
