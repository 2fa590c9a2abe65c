from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from board_tree import BOARDS

from node._compat import tomllib
from node.board.factory import open_board
from node.config.convert import convert
from node.config.effective import effective
from node.config.installation import BoardChoice, Inference, Installation
from node.config.load import load_installation
from node.config.providers import engine_key_of, session_options
from node.config.rules import apply_rules
from node.config.rules_providers import RULES
from node.config.spacecraft import BoardFigures
from node.errors import WorkerError
from node.inference.factory import engine_key, open_executor
from node.inference.wheels import CPU, CUDA, TENSORRT

SCENARIO = Path(__file__).parents[3] / "scenarios" / "demo.toml"


def inference(**tables: Any) -> Inference:
    converted = convert(
        {
            "schema": 1,
            "node": "node-1",
            "scenario": "demo.toml",
            "board": {"family": "generic"},
            "inference": tables,
        },
        Installation,
    )
    assert converted.findings == []
    assert converted.value is not None
    return converted.value.inference


def findings(settings: Inference) -> dict[str, str]:
    found = apply_rules(RULES, {"inference": settings})
    return {each.path: ("warning: " if each.warning else "") + each.message for each in found}


def test_options_become_the_text_that_onnx_runtime_reads() -> None:
    settings = inference(
        providers=[TENSORRT, CUDA, CPU],
        provider_options={
            CUDA: {"gpu_mem_limit": 1 << 30, "use_tf32": False, "device_id": 1},
            TENSORRT: {"trt_fp16_enable": True, "trt_engine_cache_path": "engines"},
        },
    )
    assert findings(settings) == {}
    options = settings.provider_options
    assert session_options(options, Path("/var/engines"), "p3767_15w") == {
        CUDA: {"gpu_mem_limit": "1073741824", "use_tf32": "0", "device_id": "1"},
        TENSORRT: {
            "trt_fp16_enable": "1",
            "trt_engine_cache_path": "/var/engines/p3767_15w",
            "trt_engine_cache_enable": "1",
            "trt_timing_cache_path": "/var/engines/p3767_15w",
            "trt_timing_cache_enable": "1",
        },
    }
    assert session_options(inference().provider_options, None, "") == {}


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ({CUDA: {"gpu_mem_limit": 0}}, f"{CUDA}.gpu_mem_limit", "from 1048576 to"),
        ({CUDA: {"gpu_mem_limt": 1 << 30}}, f"{CUDA}.gpu_mem_limt", "mean 'gpu_mem_limit'"),
        ({CUDA: {"arena_extend_strategy": "x"}}, f"{CUDA}.arena_extend_strategy", "kSameAs"),
        ({CPU: {}}, CPU, "unknown key"),
    ],
)
def test_options_are_checked_key_by_key(
    options: dict[str, dict[str, Any]], path: str, words: str
) -> None:
    converted = convert({"inference": {"provider_options": options}}, Installation)
    found = {each.path: each.message for each in converted.findings}
    assert words in found[f"$.inference.provider_options.{path}"]


def test_what_contradicts_itself() -> None:
    prefix = "$.inference.provider_options."
    twice = findings(inference(providers=[CPU, CPU]))
    assert twice == {"$.inference.providers[1]": f'"{CPU}" stands here twice'}
    unused = findings(inference(provider_options={CUDA: {"device_id": 0}}))
    assert unused == {prefix + CUDA: f'inference.providers has no "{CUDA}"'}
    cache = {"trt_engine_cache_path": "engines"}
    core = findings(
        inference(providers=[TENSORRT], provider_options={TENSORRT: {"trt_dla_core": 1, **cache}})
    )
    assert core == {f"{prefix}{TENSORRT}.trt_dla_core": "needs trt_dla_enable = true"}


@pytest.mark.parametrize("options", [{}, {TENSORRT: {"trt_fp16_enable": True}}])
def test_engines_that_are_not_kept_are_a_warning(options: dict[str, Any]) -> None:
    found = findings(inference(providers=[TENSORRT], provider_options=options))
    assert found["$.inference.provider_options"].startswith("warning: every start builds")


def test_the_cache_is_resolved_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text(
        f'schema = 1\nnode = "node-1"\nscenario = "{SCENARIO}"\n[board]\nfamily = "generic"\n'
        f'[inference]\nproviders = ["{TENSORRT}"]\n'
        f'[inference.provider_options.{TENSORRT}]\ntrt_engine_cache_path = "engines"\n'
    )
    loaded = load_installation(path)
    assert loaded.engine_cache_path == tmp_path / "engines"
    text = effective(loaded).partition("# scenario")[0]
    shown = convert(tomllib.loads(text), Installation).value
    assert shown is not None
    options = shown.inference.provider_options.tensorrt
    assert options is not None
    assert options.trt_engine_cache_path == str(tmp_path / "engines")


def test_engines_hold_for_a_gpu_and_a_power_mode() -> None:
    assert engine_key_of("p3767-0005", "MAXN SUPER") == "p3767-0005_maxn-super"
    assert engine_key_of("../..", None) == "unknown"
    board = open_board(
        BoardChoice(family="jetson", root=str(BOARDS / "jetson-orin-nano")), BoardFigures(5, 15)
    )
    assert engine_key(board, 0.0).startswith("p3767-")
    assert "_" in engine_key(board, 1.0), "the power mode is part of it"
    board.close()


def test_the_folder_of_engines_is_made(tmp_path: Path) -> None:
    options = {TENSORRT: {"trt_engine_cache_path": "engines"}}
    settings = inference(providers=[TENSORRT], provider_options=options)
    open_executor(settings, tmp_path, tmp_path / "engines", "p3767_15w")
    assert (tmp_path / "engines" / "p3767_15w").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkerError, match="p3767_15w cannot be made: Not a directory"):
        open_executor(settings, tmp_path, tmp_path / "file", "p3767_15w")
