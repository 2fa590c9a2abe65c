"""Rules of the installation's execution providers.

A rule names the top-level tables that it needs as its parameters and yields findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from node.config import wording
from node.config.finding import Finding
from node.config.installation import Inference
from node.inference.wheels import TENSORRT

_OPTIONS = "$.inference.provider_options"


def providers_differ(inference: Inference) -> Iterator[Finding]:
    """Each provider is asked for once."""
    for index, provider in enumerate(inference.providers):
        if provider in inference.providers[:index]:
            yield Finding(
                f"$.inference.providers[{index}]", f"{wording.quoted(provider)} stands here twice"
            )


def options_belong_to_a_provider(inference: Inference) -> Iterator[Finding]:
    """Options of a provider that is not asked for do nothing."""
    tables = msgspec.to_builtins(inference.provider_options)
    for provider, options in tables.items():
        if options is not None and provider not in inference.providers:
            yield Finding(
                f"{_OPTIONS}.{provider}",
                f"inference.providers has no {wording.quoted(provider)}",
            )


def accelerator_core_is_in_use(inference: Inference) -> Iterator[Finding]:
    """The number of an accelerator means nothing where it is off."""
    options = inference.provider_options.tensorrt
    if options is not None and options.trt_dla_core is not None and not options.trt_dla_enable:
        yield Finding(f"{_OPTIONS}.{TENSORRT}.trt_dla_core", "needs trt_dla_enable = true")


def engines_are_kept(inference: Inference) -> Iterator[Finding]:
    """Without a cache, TensorRT builds its engines at every start and after every killed worker."""
    options = inference.provider_options.tensorrt
    if TENSORRT in inference.providers and (
        options is None or options.trt_engine_cache_path is None
    ):
        yield Finding(
            _OPTIONS,
            "every start builds TensorRT's engines anew, which takes minutes; "
            f"[inference.provider_options.{TENSORRT}] trt_engine_cache_path keeps them",
            warning=True,
        )


RULES: tuple[Callable[..., Iterator[Finding]], ...] = (
    providers_differ,
    options_belong_to_a_provider,
    accelerator_core_is_in_use,
    engines_are_kept,
)
