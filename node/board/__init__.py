"""The only place that touches the hardware."""
