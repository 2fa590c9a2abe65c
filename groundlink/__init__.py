"""The emulated radio link and the ground segment of orbitnode."""
