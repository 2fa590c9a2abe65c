from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node._compat import tomllib
from node.config.build import build_spacecraft
from node.config.convert import convert
from node.config.effective import effective
from node.config.load import load_installation, load_scenario
from node.config.profile import PROFILE_RULES, BoardProfile, origin, overlay
from node.config.rules import apply_rules
from node.errors import ConfigError

SCENARIO = Path(__file__).parents[3] / "scenarios" / "demo.toml"
DEMO = load_scenario(SCENARIO)
NO_ZONE = datetime(2026, 1, 1)  # noqa: DTZ001 - what is to be refused
MODEL = "dlr-cloud-unet"


def point(**changes: Any) -> dict[str, Any]:
    values = {
        "model": MODEL,
        "threads": 4,
        "clock_ratio": 1.0,
        "duration_s": 2.0,
        "active_w": 6.0,
    }
    return values | changes


def findings(*points: dict[str, Any], **changes: Any) -> dict[str, str]:
    data = {
        "schema": 1,
        "board": "a board",
        "source": "assumed",
        "text": "for a test",
        "idle_w": 3.0,
        "active_w": 6.4,
        "point": list(points),
    }
    converted = convert(data | changes, BoardProfile)
    assert converted.findings == []
    return {each.path: each.message for each in apply_rules(PROFILE_RULES, converted.tables)}


def profile(*points: dict[str, Any]) -> BoardProfile:
    return msgspec.convert(
        {
            "schema": 1,
            "board": "a board",
            "source": "measured",
            "text": "for a test",
            "idle_w": 3.0,
            "active_w": 6.4,
            "point": list(points),
        },
        BoardProfile,
    )


def test_powers_and_points_replace_those_of_the_scenario() -> None:
    flown = overlay(DEMO, profile(point(), point(model="another")))

    assert (flown.board.idle_w, flown.board.active_w) == (3.0, 6.4)
    (model,) = flown.model
    assert (model.duration_s, model.active_w, model.result_bytes) == (2.0, 6.0, 20_000)
    assert model.max_duration_s == DEMO.model[0].max_duration_s
    assert flown.battery == DEMO.battery


def test_a_model_without_a_point_keeps_its_duration_and_draws_what_the_board_does() -> None:
    scenario = msgspec.structs.replace(
        DEMO, model=[msgspec.structs.replace(DEMO.model[0], active_w=14.0)]
    )
    (model,) = overlay(scenario, profile()).model
    assert (model.duration_s, model.active_w) == (0.6, None)


INSTALLATION = """\
schema = 1
node = "node-1"
scenario = {scenario}
[board]
family = "simulated"
profile = "board.toml"
"""
PROFILE = """\
schema = 1
board = "a board"
source = "measured"
text = "for a test"
idle_w = 3
active_w = 6.4
[[point]]
model = "dlr-cloud-unet"
threads = 4
clock_ratio = 1
duration_s = 2
active_w = 6
"""


def installation(folder: Path, text: str = INSTALLATION, profile: str = PROFILE) -> Path:
    (folder / "board.toml").write_text(profile)
    path = folder / "node.toml"
    path.write_text(text.replace("{scenario}", f'"{SCENARIO}"'))
    return path


def test_a_simulated_board_flies_its_profile(tmp_path: Path) -> None:
    loaded = load_installation(installation(tmp_path))

    craft = build_spacecraft(loaded.scenario, loaded.installation.board)
    assert (craft.board_idle_w, craft.board_active_w) == (3.0, 6.4)
    assert craft.models[MODEL].duration_s == 2.0
    assert craft.models[MODEL].active_w == 6.0
    (tmp_path / "board.toml").write_text(PROFILE.replace("duration_s = 2", "duration_s = 2.5"))
    assert load_installation(loaded.path).config_hash != loaded.config_hash
    shown = tomllib.loads(effective(loaded).partition("# scenario")[0])
    assert shown["board"]["profile"] == str(tmp_path / "board.toml")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('"simulated"', '"generic"', 6, 'board.profile: needs family = "simulated"'),
        ("profile", "idle_w = 3\nprofile", 6, "board.idle_w: stands in the profile too"),
    ],
)
def test_a_profile_is_of_a_simulated_board_and_alone(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    path = installation(tmp_path, INSTALLATION.replace(old, new))
    with pytest.raises(ConfigError, match=re.escape(f"node.toml:{line}: {words}")):
        load_installation(path)


def test_what_is_wrong_in_a_profile_is_said_of_its_file(tmp_path: Path) -> None:
    path = installation(tmp_path, profile=PROFILE.replace("active_w = 6\n", "active_w = 9\n"))
    with pytest.raises(ConfigError, match=r"board\.toml:12: point\[0\]\.active_w: must be from"):
        load_installation(path)
    (tmp_path / "board.toml").unlink()
    with pytest.raises(ConfigError, match=r"board\.toml: cannot be read"):
        load_installation(path)


def test_the_fastest_point_at_the_highest_clock_is_flown() -> None:
    points = [
        point(duration_s=1.0, clock_ratio=0.5),
        point(duration_s=5.0, threads=1),
        point(duration_s=2.0, threads=4, result_bytes=77),
        point(duration_s=3.0, threads=2),
    ]
    (model,) = overlay(DEMO, profile(*points)).model
    assert (model.duration_s, model.result_bytes) == (2.0, 77)


def test_a_finding_of_the_whole_is_led_back_to_the_profile() -> None:
    found = profile(point(threads=2, duration_s=9.0), point())
    assert origin("$.model[0].duration_s", DEMO, found) == "$.point[1].duration_s"
    assert origin("$.board.active_w", DEMO, found) == "$.active_w"
    assert origin("$.modes.reduced_power_ceiling_w", DEMO, found) == "$.idle_w"
    assert origin("$.model[0].duration_s", DEMO, profile()) == "$.idle_w"


@pytest.mark.parametrize(
    ("points", "changes", "path", "words"),
    [
        ([], {"active_w": 2.0}, "$.active_w", "at least idle_w (3), got 2"),
        ([point(active_w=2.0)], {}, "$.point[0].active_w", "from idle_w (3) to active_w (6.4)"),
        ([point(active_w=7.0)], {}, "$.point[0].active_w", "got 7"),
        ([point(), point(duration_s=3.0)], {}, "$.point[1]", "stands here twice"),
        ([point(gross_j=13.0)], {}, "$.point[0].gross_j", "must be 12 by active_w"),
        ([point(net_j=12.0)], {}, "$.point[0].net_j", "must be 6 by active_w"),
        ([point(p50_s=2.0, p99_s=1.9)], {}, "$.point[0].p99_s", "at least p50_s (2), got 1.9"),
        ([], {"measured_at": NO_ZONE}, "$.measured_at", "must be UTC"),
        (
            [],
            {"power": {"source": "modelled", "scope": "board"}},
            "$.power.model",
            'required with source = "modelled"',
        ),
        (
            [],
            {"power": {"source": "measured", "scope": "board", "model": "linear"}},
            "$.power.model",
            "has no meaning",
        ),
        (
            [],
            {"power": {"source": "measured", "scope": "board", "error_ratio": 0.1}},
            "$.power.error_ratio",
            "has no meaning",
        ),
    ],
)
def test_what_contradicts_itself(
    points: list[dict[str, Any]], changes: dict[str, Any], path: str, words: str
) -> None:
    assert words in findings(*points, **changes)[path]


def test_what_a_measurement_writes_is_no_contradiction() -> None:
    measured = point(provider="CPUExecutionProvider", gross_j=12.0, net_j=6.001, spread_ratio=0.02)
    quantiles = {"p50_s": 1.9, "p95_s": 2.4, "p99_s": 2.4}
    found = findings(
        measured | quantiles,
        point(threads=2),
        point(duty_ratio=0.5),
        point(provider="CUDAExecutionProvider"),
        power={"source": "modelled", "scope": "board", "model": "linear", "error_ratio": 0.25},
        measured_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
        software=["onnxruntime 1.23.2"],
    )
    assert found == {}
    assert findings(power={"source": "measured", "scope": "module", "sample_s": 1.0}) == {}


def test_pauses_are_not_flown_where_there_is_a_point_without() -> None:
    points = [point(duty_ratio=0.5, duration_s=1.0), point(duration_s=2.0, threads=2)]
    (model,) = overlay(DEMO, profile(*points)).model
    assert model.duration_s == 2.0
