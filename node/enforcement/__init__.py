"""Holds back the worker on the real board, and reports what was achieved by which means."""
