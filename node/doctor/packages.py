"""Is the Python one that is supported, and are the packages there?"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from node import __version__
from node.doctor.finding import Finding, error, note, ok, warning

_AREA = "python"
_OLDEST, _NEWEST = (3, 10), (3, 13)
_NEEDED = (
    "aiomqtt",
    "h11",
    "msgspec",
    "numpy",
    "paho-mqtt",
    "prometheus-client",
    "rich",
    "sgp4",
)
_RUNTIMES = ("onnxruntime", "onnxruntime-gpu")


def check_packages() -> Iterator[Finding]:
    """Look at interpreter and packages; none of them is loaded."""
    this = sys.version_info[:2]
    named = f"orbitnode {__version__} on Python {platform.python_version()} ({sys.executable})"
    if this < _OLDEST:
        yield error(_AREA, f"{named}: too old", "install Python 3.10 to 3.13")
    elif this > _NEWEST:
        yield note(_AREA, f"{named}: newer than what is tested (3.10 to 3.13)")
    else:
        yield ok(_AREA, named)
    there = {name: _version(name) for name in (*_NEEDED, *_RUNTIMES)}
    for name in _NEEDED:
        if there[name] is None:
            yield error(_AREA, f"{name} is not installed", f"pip install '{name}'")
    found = ", ".join(f"{name} {there[name]}" for name in _NEEDED if there[name] is not None)
    if found:
        yield ok(_AREA, found)
    if all(there[name] is not None for name in _RUNTIMES):
        # They share one import package, and which of them is loaded depends on the order.
        yield warning(
            _AREA,
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other",
            "pip uninstall onnxruntime onnxruntime-gpu; then install one of them",
        )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
