"""Refuse figures that a model cannot compute with, at construction, by name."""

from __future__ import annotations

from math import inf, isfinite

from node.errors import PhysicsError


def require(name: str, value: float, low: float = -inf, high: float = inf) -> None:
    """Raise `PhysicsError` unless ``value`` is finite and lies in ``[low, high]``."""
    if not isfinite(value) or not low <= value <= high:
        raise PhysicsError(f"{name}: expected a finite number from {low} to {high}, got {value}")


def require_positive(name: str, value: float) -> None:
    """Raise `PhysicsError` unless ``value`` is finite and greater than zero."""
    if not isfinite(value) or value <= 0.0:
        raise PhysicsError(f"{name}: expected a finite number above 0, got {value}")
