"""Decides. Pure: events in, effects out, ``now`` (mission seconds) as an argument everywhere."""
