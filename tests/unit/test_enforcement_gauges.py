"""What is held back, in the node's metrics."""

from __future__ import annotations

import msgspec
from prometheus_client.parser import text_string_to_metric_families
from synthetic_node import MODELS, STATIONS, snapshot_at

from node.core.snapshot import EnforcementSnapshot
from node.enforcement.enforcer import EnforcementReport
from node.metrics import NodeMetrics

ORDERED = EnforcementSnapshot(8.0, 7.9, 3.5, 0.33, unmet=False, unmet_s=12.0, protected="hot")
REPORT = EnforcementReport(
    ("pacing", "quota"), ("quota",), 0.33, 0.31, clock=0.9, clock_achieved=0.33
)


def exported(ordered: EnforcementSnapshot, report: EnforcementReport | None) -> dict[str, float]:
    metrics = NodeMetrics("sat", MODELS, STATIONS)
    metrics.snapshot = msgspec.structs.replace(snapshot_at(5), enforcement=ordered)
    if report is not None:
        metrics.observe_enforcement(report)
    found = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            if sample.name.startswith("orbitnode_enforcement_"):
                labels = [text for key, text in sample.labels.items() if key != "node_id"]
                found[" ".join([sample.name[len("orbitnode_enforcement_") :], *labels])] = (
                    sample.value
                )
    return found


def test_target_achieved_and_means() -> None:
    assert exported(ORDERED, REPORT) == {
        "ceiling_watts": 8.0,
        "mean_power_watts": 7.9,
        "headroom_watts": 3.5,
        "unmet": 0.0,
        "protected": 1.0,
        "unmet_seconds_total": 12.0,
        "means_available pacing": 1.0,
        "means_available quota": 1.0,
        "means_available duty-cycle": 0.0,
        "means_available clock": 0.0,
        "means_active pacing": 1.0,
        "means_active quota": 1.0,
        "means_active duty-cycle": 0.0,
        "means_active clock": 0.0,
        "target_ratio share": 0.33,
        "target_ratio clock": 0.9,
        "achieved_ratio share": 0.31,
        "achieved_ratio clock": 0.33,
    }


def test_without_a_ceiling_pacing_is_not_active_and_what_is_not_known_is_absent() -> None:
    free = msgspec.structs.replace(ORDERED, ceiling_w=None, protected=None)
    found = exported(free, msgspec.structs.replace(REPORT, share_achieved=None))
    assert "ceiling_watts" not in found
    assert "achieved_ratio share" not in found
    assert (found["means_active pacing"], found["protected"]) == (0.0, 0.0)


def test_without_a_board_there_are_the_orders_alone() -> None:
    found = exported(ORDERED, None)
    assert found["ceiling_watts"] == 8.0
    assert not any("means" in name or "ratio" in name for name in found)
