"""The whole system without anything real: same core, same loop, simulated hands and ground."""
