from __future__ import annotations

import csv
import json
from collections.abc import Iterator

import pytest
from listed_scenario import demo, ephemeris, with_neighbours

from node.ephemeris.events import Event, find_events
from node.ephemeris.output import (
    csv_of_events,
    csv_of_rows,
    json_of,
    table_of_events,
    table_of_rows,
)
from node.ephemeris.rows import Row
from node.span import Span

SPAN = Span(0.0, 6000.0)


def test_csv_of_rows_holds_every_figure_under_its_name() -> None:
    computed = ephemeris(with_neighbours(), "svalbard", "maspalomas")
    rows = list(computed.rows(SPAN, 60.0))
    text = csv_of_rows(rows, ["svalbard", "maspalomas"], ["crossing", "far"])
    read = list(csv.DictReader(text))
    assert len(read) == len(rows) == 100
    for row, cells in zip(rows, read, strict=True):
        assert None not in cells
        assert None not in cells.values()
        figures = {name: float(cell) for name, cell in cells.items() if name != "utc"}
        assert cells["utc"] == row.utc
        assert figures["mission_s"] == row.mission_s
        r_km = tuple(figures[f"{axis}_teme_km"] for axis in "xyz")
        v_km_s = tuple(figures[f"v{axis}_teme_km_s"] for axis in "xyz")
        sun = tuple(figures[f"sun_{axis}_teme"] for axis in "xyz")
        assert r_km == pytest.approx(row.r_teme_km, abs=1e-6)
        assert v_km_s == pytest.approx(row.v_teme_km_s, abs=1e-9)
        assert sun == pytest.approx(row.sun_direction_teme, abs=1e-9)
        for name in (
            "latitude_deg",
            "longitude_deg",
            "altitude_km",
            "sun_distance_au",
            "illumination_ratio",
            "beta_angle_deg",
        ):
            assert figures[name] == pytest.approx(getattr(row, name), abs=1e-6)
        for kind, views in (("station", row.stations), ("neighbour", row.neighbours)):
            for place, view in views.items():
                for name in view.__struct_fields__:
                    exact = getattr(view, name)
                    assert figures[f"{kind}.{place}.{name}"] == pytest.approx(
                        float(exact), abs=1e-3
                    )


def test_csv_of_events_leaves_empty_what_is_not_there() -> None:
    found = find_events(ephemeris(with_neighbours()), SPAN)
    read = list(csv.DictReader(csv_of_events(found)))
    assert [(cells["utc"], cells["kind"]) for cells in read] == [
        (event.utc, event.kind) for event in found
    ]
    for event, cells in zip(found, read, strict=True):
        assert float(cells["mission_s"]) == pytest.approx(event.mission_s, abs=1e-4)
        assert (cells["station"], cells["neighbour"]) == (
            event.station or "",
            event.neighbour or "",
        )
        for name in ("azimuth_deg", "elevation_deg", "range_km"):
            exact = getattr(event, name)
            assert (
                cells[name] == ""
                if exact is None
                else float(cells[name]) == pytest.approx(exact, abs=1e-6)
            )


def test_json_is_one_object_with_the_parts_that_are_wanted() -> None:
    computed = ephemeris(with_neighbours())
    rows, found = list(computed.rows(SPAN, 3000.0)), find_events(computed, SPAN)
    whole = json.loads("".join(json_of({"scenario": "demo"}, rows, found)))
    assert list(whole) == ["scenario", "rows", "events"]
    assert whole["rows"][1]["r_teme_km"] == list(rows[1].r_teme_km)
    assert whole["rows"][1]["stations"]["kiruna"]["elevation_deg"] == (
        rows[1].stations["kiruna"].elevation_deg
    )
    assert whole["rows"][0]["neighbours"]["far"]["line_of_sight"] is False
    assert whole["events"][0] == {
        "utc": found[0].utc,
        "mission_s": found[0].mission_s,
        "kind": found[0].kind,
        **({"station": found[0].station} if found[0].station else {}),
        **({"neighbour": found[0].neighbour} if found[0].neighbour else {}),
        **(
            {"azimuth_deg": found[0].azimuth_deg, "elevation_deg": found[0].elevation_deg}
            if found[0].station
            else {}
        ),
        "range_km": found[0].range_km,
    }
    assert list(json.loads("".join(json_of({"a": 1}, rows, None)))) == ["a", "rows"]
    assert json.loads("".join(json_of({"a": 1}, None, []))) == {"a": 1, "events": []}


def test_rows_are_written_as_they_come() -> None:
    computed = ephemeris(demo())
    asked = 0

    def rows() -> Iterator[Row]:
        nonlocal asked
        for row in computed.rows(SPAN, 1.0):
            asked += 1
            yield row

    for text in (csv_of_rows(rows(), [], []), json_of({}, rows(), ()), table_of_rows(rows())):
        asked = 0
        while asked < 3:
            next(text)
        assert asked == 3


def test_tables_fit_80_columns_and_say_what_is_in_view() -> None:
    computed = ephemeris(demo())
    rows = list(table_of_rows(computed.rows(Span(0.0, 86_400.0), 600.0)))
    assert len(rows) == 145
    assert rows[2].split() == (
        [
            "2025-03-20T11:40:00Z",
            "600",
            "16.22",
            "-15.29",
            "554.4",
            "1.00",
            "24.1",
            "16.7",
            "maspalomas",
        ]
    )
    assert rows[3].endswith(" 24.1\n")
    events = list(table_of_events(find_events(computed, Span(0.0, 86_400.0))))
    assert events[1].split() == (
        ["2025-03-20T11:32:11.222Z", "131.222", "maspalomas", "AOS", "5.0", "17.4", "2221"]
    )
    assert events[4].endswith("  penumbra entry\n")
    assert max(map(len, rows + events)) <= 81


def test_a_line_of_sight_is_told_with_its_range() -> None:
    event = Event(
        "2025-03-20T11:32:11.222Z", 1.0, "line_of_sight_end", None, "sat-2", None, None, 9
    )
    line = list(table_of_events([event]))[1]
    assert line.split()[2:] == ["sat-2", "line", "of", "sight", "end", "9"]
