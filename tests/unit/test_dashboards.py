"""The committed dashboards: current, well laid out, and asking for metrics that exist."""

from __future__ import annotations

import importlib
import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from synthetic_node import MODELS, STATIONS, snapshot_at

from node.board.health import ReaderHealth
from node.core.modes import OperatingMode
from node.metrics import NodeMetrics

GRAFANA = Path(__file__).parents[2] / "grafana"
METRIC = re.compile(r"\b(?:orbitnode|process)_[a-z0-9_]+")


@pytest.fixture(scope="module")
def generate() -> Iterator[Any]:
    sys.path.insert(0, str(GRAFANA))
    try:
        yield importlib.import_module("generate")
    finally:
        sys.path.remove(str(GRAFANA))


DASHBOARDS = {
    path.name: json.loads(path.read_text()) for path in (GRAFANA / "dashboards").glob("*.json")
}


def panels(dashboard: Any) -> list[Any]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions(dashboard: Any) -> list[str]:
    found = [query["expr"] for panel in panels(dashboard) for query in panel["targets"]]
    return found + [entry["expr"] for entry in dashboard["annotations"]["list"]]


@pytest.fixture(params=sorted(DASHBOARDS))
def dashboard(request: pytest.FixtureRequest) -> Any:
    return DASHBOARDS[request.param]


def test_committed_dashboards_are_those_generated(generate: Any) -> None:
    committed = {path.name: path.read_text() for path in (GRAFANA / "dashboards").glob("*.json")}
    assert committed == generate.render(), "run python grafana/generate.py and commit its output"


def test_every_operating_mode_has_its_number(generate: Any) -> None:
    assert list(generate.MODES) == [mode.value for mode in OperatingMode]


def test_schema_that_every_supported_grafana_provisions(dashboard: Any) -> None:
    assert dashboard["schemaVersion"] == 39
    assert {"uid", "title", "panels", "templating"} <= dashboard.keys()
    assert "spec" not in dashboard


def test_panels_are_numbered_named_described_and_have_a_unit(dashboard: Any) -> None:
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in panels(dashboard):
        assert panel["title"], panel["id"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        references = [query["refId"] for query in panel["targets"]]
        assert len(set(references)) == len(references)
        assert all(query["datasource"]["uid"] == "${datasource}" for query in panel["targets"])


def test_panels_fit_the_grid_and_do_not_overlap(dashboard: Any) -> None:
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    for place in places:
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
    for one, other in itertools.combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


def test_queries_choose_job_and_node_and_rate_their_counters(dashboard: Any) -> None:
    for expression in expressions(dashboard):
        for metric in METRIC.finditer(expression):
            selector = expression[metric.end() :]
            assert selector.startswith('{job=~"$job"'), expression
            if metric[0].startswith("orbitnode_"):
                assert 'node_id="$node"' in selector.partition("}")[0], expression
        for counter in re.findall(r"(\w*\(?)\borbitnode_\w+_total\{", expression):
            # Counts since the start are shown as such in one panel, by max().
            assert counter in ("rate(", "increase(", "("), expression
        assert set(re.findall(r"\[([^\]]+)\]", expression)) <= {"$__rate_interval", "$__range"}


def test_state_timelines_keep_their_words(dashboard: Any) -> None:
    timelines = [panel for panel in panels(dashboard) if panel["type"] == "state-timeline"]
    assert timelines
    for panel in timelines:
        # With colour mode "thresholds" Grafana ignores the words of the states.
        assert panel["fieldConfig"]["defaults"]["color"]["mode"] == "palette-classic"
        assert panel["fieldConfig"]["defaults"]["mappings"]


def test_no_panel_reaches_outside(dashboard: Any) -> None:
    assert not re.search(r"https?://", json.dumps(dashboard))


def test_every_metric_exists(dashboard: Any) -> None:
    metrics = NodeMetrics("oen-01", MODELS, STATIONS)
    metrics.snapshot = snapshot_at(1)
    metrics.observe_sensors([ReaderHealth("cpu", True, 0.001)])
    exported = {
        sample.name
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }
    asked = {name for text in expressions(dashboard) for name in METRIC.findall(text)}
    assert len(asked) > 25
    assert asked <= exported


def test_data_source_knows_the_scrape_interval() -> None:
    scrape = re.search(
        r"scrape_interval: (\w+)", (GRAFANA / "prometheus/prometheus.yml").read_text()
    )
    source = re.search(
        r"timeInterval: (\w+)",
        (GRAFANA / "provisioning/datasources/prometheus.yaml").read_text(),
    )
    assert scrape is not None
    assert source is not None
    assert scrape[1] == source[1]
