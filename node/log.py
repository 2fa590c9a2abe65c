"""Logging for people and for the journal."""

from __future__ import annotations

import logging
import os
import sys

_JOURNAL_PRIORITIES = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}


class _JournalFormatter(logging.Formatter):
    """Puts the priority in front, as the journal reads it; time and unit are the journal's own."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record, every line of it with its priority."""
        prefix = f"<{_JOURNAL_PRIORITIES.get(record.levelno, 5)}>"
        text = super().format(record)
        return "\n".join(prefix + line for line in text.splitlines())


def start_logging(level: str) -> None:
    """Log to standard error, in the journal's form where the journal reads it."""
    handler = logging.StreamHandler(sys.stderr)
    if os.environ.get("JOURNAL_STREAM"):
        handler.setFormatter(_JournalFormatter("%(name)s %(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
