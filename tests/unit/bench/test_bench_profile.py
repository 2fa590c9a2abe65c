from __future__ import annotations

from typing import Any

import msgspec
import pytest

from node._compat import tomllib
from node.bench.figures import (
    BenchReport,
    Cap,
    EnergyFigures,
    IdleFigures,
    LatencyFigures,
    PointFigures,
    PowerFigures,
    Spread,
)
from node.bench.notes import notes_on
from node.bench.profile import profile_of, profile_text
from node.bench.run import Plan
from node.bench.text import render
from node.config.convert import convert
from node.config.profile import PROFILE_RULES, BoardProfile
from node.config.rules import apply_rules
from node.errors import BoardError

MODELLED = PowerFigures("modelled", "board", "powerjoular-rbp4b1.2-64", 0.25, 1.0)
MEASURED = PowerFigures("measured", "module", "", None, 1.0)


def point(**changes: Any) -> PointFigures:
    made = PointFigures(
        threads=4,
        cap=Cap(),
        provider="CPUExecutionProvider",
        inferences=20,
        window_s=10.0,
        windows=5,
        throughput_per_s=2.0,
        latency=LatencyFigures(0.51234567, 0.5, 0.6, 0.7, 0.48),
        cpu_s=1.9,
        energy=EnergyFigures(Spread(5.1, 0.1), Spread(3.0, 0.2), 5.1 / 0.51234567),
        latency_drift_ratio=0.01,
        power_drift_ratio=-0.01,
        steady=True,
        throttled_by=[],
        result_bytes=321,
    )
    return msgspec.structs.replace(made, **changes)


def report(*points: PointFigures, **changes: Any) -> BenchReport:
    made = BenchReport(
        schema=1,
        model="unet",
        version="1",
        model_sha256="0" * 64,
        input="made up",
        board_family="raspberry-pi",
        board="Raspberry Pi 4 Model B Rev 1.4",
        measured_at="2026-01-31T12:00:00Z",
        software=["onnxruntime 1.23.2"],
        idle=IdleFigures(5.0, Spread(4.0, 0.1), 0.01),
        power=MEASURED,
        points=list(points) or [point()],
        notes=["a note"],
    )
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize("power", [MODELLED, MEASURED])
def test_the_profile_loads_and_breaks_no_rule(power: PowerFigures) -> None:
    points = [point(), point(threads=1), point(cap=Cap(0.5, 0.75, 0.6, "quota"))]
    text = profile_text(report(*points, power=power))

    converted = convert(tomllib.loads(text), BoardProfile)

    assert converted.findings == []
    assert list(apply_rules(PROFILE_RULES, converted.tables)) == []
    profile = converted.value
    assert profile is not None
    assert profile.source == power.source
    assert (profile.idle_w, profile.active_w) == (4.0, profile.point[0].active_w)
    assert profile.power is not None
    assert (profile.power.scope, profile.power.error_ratio) == (power.scope, power.error_ratio)
    first, _, capped = profile.point
    assert first.duration_s == 0.512346
    assert first.gross_j == pytest.approx(5.1, rel=1e-5)
    assert first.net_j == pytest.approx(5.1 - 4.0 * 0.512346, rel=1e-5)
    assert first.spread_ratio == pytest.approx(0.1 / 5.1, rel=1e-5)
    assert (capped.duty_ratio, capped.clock_ratio, capped.cpu_share_ratio) == (0.5, 0.75, 0.6)
    assert "# Note: a note." in text


def test_a_model_that_draws_nothing_above_rest_stays_within_the_rules() -> None:
    energy = EnergyFigures(Spread(2.0, None), Spread(0.0, None), 3.9999999)
    made = profile_of(report(point(energy=energy)))
    assert made.point[0].active_w == made.idle_w
    assert made.point[0].net_j == 0.0
    assert made.point[0].spread_ratio is None


@pytest.mark.parametrize(
    "broken", [{"idle": None}, {"power": None}, {"points": [point(energy=None)]}]
)
def test_without_power_there_is_no_profile(broken: dict[str, Any]) -> None:
    with pytest.raises(BoardError, match="power was not there all the time"):
        profile_of(report(**broken))


def notes(*points: PointFigures, power: PowerFigures | None = MEASURED, busy: float = 0.0) -> str:
    idle = IdleFigures(5.0, Spread(4.0, 0.1), busy)
    return "\n".join(notes_on(idle, power, list(points), made_up=False))


def test_notes_say_what_the_figures_are_worth() -> None:
    assert notes(point(threads=1)) == ""
    assert "modelled (powerjoular-rbp4b1.2-64), not measured; the model is up to 25% off" in notes(
        power=MODELLED
    )
    unknown = msgspec.structs.replace(MODELLED, error_ratio=None)
    assert "has no published error" in notes(power=unknown)
    assert "nothing tells this board's power" in notes(power=None)
    assert "4 threads, clock 0.5: the board slowed itself down: thermal" in notes(
        point(cap=Cap(1.0, 0.5), throttled_by=["thermal"], steady=False)
    )
    assert "1 thread, share 0.5: no control group to be had" in notes(
        point(threads=1, cap=Cap(share_ratio=0.5, share_by="duty-cycle"))
    )
    assert "1 thread: not steady" in notes(point(threads=1, steady=False))
    assert "257 threads: more threads than the" in notes(point(threads=257))
    assert "there are no joules" in notes(point(threads=1, energy=None))
    nothing = EnergyFigures(Spread(2.0, None), Spread(0.0, None), 4.0)
    assert "is below what can be told" in notes(point(threads=1, energy=nothing))
    assert "97% busy at rest" in notes(busy=0.97)
    assert "made-up noise" in next(iter(notes_on(None, MEASURED, [], made_up=True)))


def test_the_table_names_source_scope_and_spread() -> None:
    text = render(report(point(), point(threads=1, energy=None)))
    assert "unet 1 on Raspberry Pi 4 Model B Rev 1.4, CPUExecutionProvider" in text
    assert "measured, scope module, a reading every 1 s" in text
    assert "at rest  4 +-0.1 W over 5 s" in text
    (row,) = [line for line in text.splitlines() if line.startswith("4 threads")]
    assert "500 ms" in row
    assert "5.1 +-0.1" in row
    assert "3 +-0.2" in row
    assert "note: a note" in text
    assert "modelled by powerjoular" in render(report(power=MODELLED))
    assert "power    not known" in render(report(power=None, idle=None))


def test_a_plan_reads_ten_times_and_at_most_once_a_second() -> None:
    plan = Plan((1, 2), (1.0, 0.5), (1.0,), (1.0,), 30.0, 5.0, 2.0)
    assert plan.sample_s == 0.5
    assert plan._replace(idle_s=30.0).sample_s == 1.0
    assert plan._replace(idle_s=0.1).sample_s == 0.1
    assert plan.points() == [(Cap(), 1), (Cap(), 2), (Cap(0.5), 1), (Cap(0.5), 2)]
    assert plan.seconds == 5.0 + 4 * 32.0
