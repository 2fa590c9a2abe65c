"""Where a scenario's node is and what it meets there, listed over a span of time."""
