"""What the commands that talk to the ground daemon share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence

from groundlink.client import DEFAULT_URL, GroundClient

URL_VARIABLE = "GROUNDLINK_URL"


def add_ground_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--ground``, the daemon's address."""
    parser.add_argument(
        "--ground",
        default=os.environ.get(URL_VARIABLE, DEFAULT_URL),
        metavar="URL",
        help=f"the ground daemon (default: ${URL_VARIABLE}, else {DEFAULT_URL})",
    )


def client(args: argparse.Namespace) -> GroundClient:
    """Make the client for ``--ground``."""
    return GroundClient(args.ground)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out text in columns as wide as their widest entry; numbers stand to the right."""
    lines = [[str(cell) for cell in row] for row in rows]
    right = [
        bool(lines) and all(line[column][:1] in "-0123456789" for line in lines)
        for column in range(len(head))
    ]
    lines.insert(0, list(head))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )
