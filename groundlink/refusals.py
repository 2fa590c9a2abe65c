"""Counts what is refused and logs each kind once, until its sender is well again. Pure."""

from __future__ import annotations

import logging

_log = logging.getLogger(__name__)


class Refusals:
    """What arrived and was not taken, by reason."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._failing: dict[str, set[str]] = {}

    def refuse(self, sender: str, reason: str, error: object) -> None:
        """Count one refusal; log it if this sender was not failing in this way already."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        failing = self._failing.setdefault(sender, set())
        if reason not in failing:
            failing.add(reason)
            _log.warning("refused sender=%s reason=%s error=%s", sender, reason, error)

    def accept(self, sender: str) -> None:
        """Note that the sender is well; log it if it was not."""
        failing = self._failing.pop(sender, None)
        if failing:
            _log.info("accepted again sender=%s after=%s", sender, ",".join(sorted(failing)))
