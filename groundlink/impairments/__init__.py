"""What a radio link does to bytes, one small file for each impairment.

The registry's order is the order along the path. A new impairment is a file with a configuration
and a state, and a line here.
"""

from __future__ import annotations

from groundlink.impairments.base import Config, Frame, Impairment
from groundlink.impairments.latency import LatencyConfig
from groundlink.impairments.loss import LossConfig
from groundlink.impairments.outage import OutageConfig
from groundlink.impairments.rate import RateConfig

REGISTRY: dict[str, type[Config]] = {
    config.name: config for config in (OutageConfig, LossConfig, RateConfig, LatencyConfig)
}
"""Every impairment by its name, in the order in which a frame meets them."""

_ORDER = {name: place for place, name in enumerate(REGISTRY)}


def in_order(configs: tuple[Config, ...]) -> list[Config]:
    """Sort configurations along the path; several of one kind keep their order.

    Raises:
        ValueError: a configuration whose name is not in the registry.
    """
    for config in configs:
        if config.name not in _ORDER:
            raise ValueError(f"no impairment is called {config.name!r}; there are {list(REGISTRY)}")
    return sorted(configs, key=lambda config: _ORDER[config.name])


__all__ = ["REGISTRY", "Config", "Frame", "Impairment", "in_order"]
