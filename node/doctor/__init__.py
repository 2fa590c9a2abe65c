"""Examines an installation and its board, and changes nothing."""
