"""Does each model load, is it what its card says, and does an inference run?"""

from __future__ import annotations

import time
from pathlib import Path

from node.bench.inputs import made_up_input
from node.config.load import LoadedInstallation
from node.doctor.finding import Finding, error, note, ok
from node.errors import ModelError, OrbitnodeError, ProviderError
from node.inference.executor import OnnxExecutor
from node.inference.factory import open_executor

_AREA = "models"
_MEND_INPUT = "try it with an input of its own: orbitnode bench {folder} --input FILE.npz"


async def check_models(loaded: LoadedInstallation, engine_key: str) -> list[Finding]:
    """Load and run each model that there is, and see that those that fly are there."""
    installation, flown = loaded.installation, [model.name for model in loaded.scenario.model]
    if installation.inference.executor == "simulated":
        return [note(_AREA, "inference is simulated: no model is looked at")]
    folder = loaded.models_path
    try:
        names = sorted(
            each.name
            for each in folder.iterdir()
            if each.is_dir() and not each.name.startswith(".")
        )
    except OSError as failure:
        return [
            error(_AREA, f"{folder}: {failure.strerror}", f"mkdir -p {folder}, and put models in")
        ]
    findings = [
        error(
            _AREA,
            f"{name} flies in {loaded.scenario_path}, and is not in {folder}",
            f"put model.onnx and model.toml into {folder / name}",
        )
        for name in flown
        if name not in names
    ]
    engines = loaded.engine_cache_path
    if engines is not None and not (engines / engine_key).is_dir():
        return [
            *findings,
            note(
                _AREA,
                f"TensorRT's engines are not built yet for {engine_key}: the first start builds "
                "them, which takes minutes; no model is run here",
            ),
        ]
    for name in names:
        executor = open_executor(
            installation.inference, folder, loaded.engine_cache_path, engine_key, names=[name]
        )
        findings.append(await _check(executor, folder / name))
    return findings


async def _check(executor: OnnxExecutor, folder: Path) -> Finding:
    name = folder.name
    try:
        await executor.start()
        card = executor.models[name].card
        given = made_up_input(card.input)
        # The first run of a session allocates; the second is warm.
        for _ in range(2):
            begun_s = time.monotonic()
            outcome = await executor.run(name, given, 0)
            took_s = time.monotonic() - begun_s
    except ModelError as failure:
        return error(_AREA, str(failure), f"mend or remove {folder}; docs/configuration.md")
    except ProviderError as failure:
        return error(_AREA, str(failure), "set [inference] providers to what is available")
    except OrbitnodeError as failure:
        return error(_AREA, f"{name}: {failure}", f"orbitnode bench {folder}")
    finally:
        await executor.close()
    if not outcome.ok:
        return note(
            _AREA,
            f"{name} loads, and does not run on made-up numbers: {outcome.error}",
            _MEND_INPUT.format(folder=folder),
        )
    return ok(
        _AREA,
        f"{name} {card.version}: hash right, loaded, {took_s * 1e3:.3g} ms on {outcome.provider}",
    )
