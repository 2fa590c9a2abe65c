"""What is examined: an installation with its board, or a board alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from node.config.installation import BoardChoice, Enforcement, Inference
from node.config.load import LoadedInstallation

LIVE_ROOT = "/"


@dataclass(frozen=True)
class Patient:
    """One installation, or the board below a root."""

    loaded: LoadedInstallation | None = None
    root: str = LIVE_ROOT
    """Where there is no installation."""

    @property
    def board(self) -> BoardChoice:
        """The board that is to be there."""
        if self.loaded is None:
            return BoardChoice("auto", root=self.root)
        return self.loaded.installation.board

    @property
    def is_live(self) -> bool:
        """Whether the board is this machine, and not a tree of files."""
        return Path(self.board.root).resolve() == Path(LIVE_ROOT)

    @property
    def helper_socket(self) -> Path:
        """Where orbitnode-governor is to listen."""
        settings = Enforcement() if self.loaded is None else self.loaded.installation.enforcement
        return Path(settings.helper_socket)

    @property
    def inference(self) -> Inference:
        """How models are to run."""
        return Inference() if self.loaded is None else self.loaded.installation.inference
