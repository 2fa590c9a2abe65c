"""The flight side of orbitnode: real inference under emulated, enforced orbital constraints."""

__version__ = "0.1.0"
