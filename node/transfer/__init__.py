"""The transfer protocol, pure; the node and the ground use the same code."""
