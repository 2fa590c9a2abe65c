"""What a session really runs on: ONNX Runtime falls back to the CPU without a word. Worker only."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from node.errors import ProviderError
from node.inference.wheels import CPU


def used_providers(session: Any) -> set[str] | None:  # noqa: ANN401 - untyped library
    """Providers that have parts of the graph; None where ONNX Runtime (below 1.24) does not say."""
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return None
    return {part.ep_name for part in session.get_provider_graph_assignment_info()}


def observed_providers(run: Callable[[str], str]) -> set[str]:
    """Providers that the nodes of one run ran on, by ONNX Runtime's own profile of it.

    Args:
        run: makes a session whose profile goes to files of the given prefix, runs it once and
            returns the path of the profile.
    """
    with TemporaryDirectory(prefix="orbitnode-") as folder:
        events = json.loads(Path(run(f"{folder}/profile")).read_text())
    nodes = (event["args"] for event in events if event.get("cat") == "Node")
    return {node["provider"] for node in nodes if node.get("provider")}


def check_started(session: Any, model: str, wanted: Sequence[str], remedy: str) -> None:  # noqa: ANN401 - untyped library
    """Hold what a session says that it has against what was asked for.

    Raises:
        ProviderError: one is missing, or another comes first.
    """
    present = session.get_providers()
    for provider in wanted:
        if provider not in present:
            raise ProviderError(
                f"{provider} could not be started for model {model}; onnxruntime offers "
                f"{', '.join(present)}; a library that it needs is missing: {remedy}"
            )
    if present[0] != wanted[0]:
        raise ProviderError(f"model {model}: {present[0]} comes before {wanted[0]}")


def placed(used: set[str], model: str, wanted: Sequence[str]) -> str:
    """Name what a model runs on, in the order that was asked for, with commas between.

    A provider that is listed behind another may take what the first cannot; the first must take
    something, or what was asked for is not what runs.

    Raises:
        ProviderError: nothing of the model runs on the first provider.
    """
    if not used:
        return wanted[0]  # a network without nodes, or all folded into constants, runs nowhere
    if wanted[0] not in used:
        there = ", ".join(sorted(used))
        others = ", ".join(provider for provider in wanted if provider != wanted[0]) or CPU
        raise ProviderError(
            f"model {model}: nothing of it runs on {wanted[0]}, everything fell back to {there}; "
            f"where that is wanted, configure providers {others}"
        )
    return ",".join(provider for provider in wanted if provider in used)
