"""What the converter and the rules have to say about one key."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """Something to say about one key."""

    path: str
    """As in ``node.config.locate``: ``$.battery.initial_soc``; ``$`` is the whole file."""
    message: str
    warning: bool = False
    """True where the configuration can still be used."""
