"""Wrong files: each says everything that is wrong with it, on the right lines, at once."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from node.config.check import run_check
from node.config.load import load_installation, load_scenario
from node.errors import ConfigError

SCENARIOS = Path(__file__).parents[2] / "scenarios"
INSTALLATION = """\
schema = 1
node = "node-1"
scenario = "demo.toml"

[board]
family = "simulated"

[clock]
mode = "scaled"
rate = 20

[broker]
port = 1884
username = "node-1"
password_file = "secrets/password"

[inference]
executor = "simulated"
models = "../models"

[store]
path = "state"
"""
ISS = (
    "1 25544U 98067A   24127.82853009  .00015698  00000+0  27310-3 0  9995",
    "2 25544  51.6393 160.4574 0003580 140.6673 205.7250 15.50957674452123",
)
SSO = """\
source = "sso"
altitude_km = 550
ltan_h = 22.5
eccentricity = 0.0005
argument_of_latitude_deg = 126
"""


class Expected(NamedTuple):
    """One line of output: where it points and what it must say."""

    file: str
    near: str
    """Text of the line that is named; empty where no line is."""
    path: str
    words: str


class Case(NamedTuple):
    name: str
    scenario: list[tuple[str, str]]
    """Replacements of text in demo.toml."""
    installation: list[tuple[str, str]]
    expected: list[Expected]


def scenario_case(
    name: str, changes: list[tuple[str, str]], *expected: tuple[str, str, str]
) -> Case:
    return Case(name, changes, [], [Expected("demo.toml", *each) for each in expected])


def installation_case(
    name: str, changes: list[tuple[str, str]], *expected: tuple[str, str, str]
) -> Case:
    return Case(name, [], changes, [Expected("node.toml", *each) for each in expected])


CASES = [
    scenario_case(
        "out of range",
        [("initial_soc = 0.9", "initial_soc = 1.7")],
        ("initial_soc = 1.7", "battery.initial_soc", "expected a number from 0 to 1, got 1.7"),
    ),
    scenario_case(
        "text for a number",
        [("area_m2 = 0.12", 'area_m2 = "0.12"')],
        ('area_m2 = "0.12"', "array[0].area_m2", 'expected a number, got the text "0.12"'),
    ),
    scenario_case(
        "truth for a number",
        [("seed = 1", "seed = true")],
        ("seed = true", "mission.seed", "expected a whole number, got true"),
    ),
    scenario_case(
        "not a number and endless",
        [("cell_max_v = 4.2", "cell_max_v = nan"), ("duration_s = 5800", "duration_s = inf")],
        ("duration_s = inf", "mission.duration_s", "expected a finite number, got inf"),
        ("cell_max_v = nan", "battery.cell_max_v", "expected a finite number, got nan"),
    ),
    scenario_case(
        "mistyped key",
        [("initial_soc = 0.9", "inital_soc = 0.9")],
        ("[battery]", "battery.initial_soc", "required key is missing"),
        ("inital_soc = 0.9", "battery.inital_soc", "unknown key; did you mean 'initial_soc'?"),
    ),
    scenario_case(
        "missing table and unknown table",
        [("[modes]", "[mode]")],
        ("", "modes", "required table is missing"),
        ("[mode]", "mode", "unknown key; did you mean 'modes'?"),
    ),
    scenario_case(
        "one entry of a list",
        [("latitude_deg = 67.8571", "latitude_deg = 167.8571")],
        ("latitude_deg = 167.8571", "ground_station[1].latitude_deg", "from -90 to 90, got 167.8"),
    ),
    scenario_case(
        "nested lists of tables",
        [('name = "radiator"\ncapacity_j_per_k = 500', 'name = "radiator"\ncapacity_j_per_k = 0')],
        ("capacity_j_per_k = 0", "thermal.node[1].capacity_j_per_k", "above 0 and up to"),
    ),
    scenario_case(
        "single brackets for a list",
        [("[[model]]", "[model]")],
        ("[model]", "model", "write [[model]] with two brackets"),
    ),
    scenario_case(
        "unknown kind of orbit",
        [('source = "sso"', 'source = "ssso"')],
        ('source = "ssso"', "orbit.source", '"tle", "omm", "sso" or "keplerian"'),
    ),
    scenario_case(
        "kind of orbit missing",
        [('source = "sso"\n', "")],
        ("[orbit]", "orbit.source", "required key is missing; write one of"),
    ),
    scenario_case(
        "broken element set",
        [
            (
                SSO,
                f'source = "tle"\nline1 = "{ISS[0][:-1]}0"\nline2 = "4{ISS[1][1:]}"\n',
            )
        ],
        ('line1 = "1 25544U', "orbit.line1", "checksum is 5"),
        ('line2 = "4 25544', "orbit.line2", 'begins with "2 "'),
    ),
    scenario_case(
        "old element set",
        [(SSO, f'source = "tle"\nline1 = "{ISS[0]}"\nline2 = "{ISS[1]}"\n')],
        ('line1 = "1 25544U', "orbit.line1", "days before mission.epoch; at most 30"),
    ),
    scenario_case(
        "epoch without a zone",
        [("2025-03-20T11:30:00Z", "2025-03-20T11:30:00")],
        ("epoch = ", "mission.epoch", "write 2025-03-20T11:30:00Z"),
    ),
    scenario_case(
        "thresholds that cross",
        [("off_below_soc = 0.15", "off_below_soc = 0.4")],
        ("off_below_soc = 0.4", "modes.off_below_soc", "below boot_above_soc (0.3)"),
        ("off_below_soc = 0.4", "modes.off_below_soc", "below safe_below_soc (0.35)"),
    ),
    scenario_case(
        "an entry of a long list",
        [("cell_ocv_v = [3.0, 3.35, 3.45,", "cell_ocv_v = [\n  3.0,\n  3.35,\n  3.15,")],
        ("  3.15,", "battery.cell_ocv_v[2]", "must rise: 3.15 does not exceed"),
    ),
    scenario_case(
        "references to nothing",
        [
            ('between = ["board", "radiator"]', 'between = ["bord", "radiator"]'),
            ('thermal_node = "structure"', 'thermal_node = "frame"'),
            ('model = "dlr-cloud-unet"', 'model = "dlr-cloud-net"'),
        ],
        ('thermal_node = "frame"', "battery.thermal_node", 'no thermal node "frame"'),
        ('between = ["bord"', "thermal.link[0].between[0]", "did you mean 'board'?"),
        ('model = "dlr-cloud-net"', "workload[0].model", "did you mean 'dlr-cloud-unet'?"),
    ),
    scenario_case(
        "names twice, vector not of unit length, unknown metric",
        [
            ('name = "kiruna"', 'name = "svalbard"'),
            ("normal_body = [0, 0, 1]", "normal_body = [0, 0.5, 1]"),
            ('metric = "contacts"', 'metric = "contact"'),
        ],
        ("normal_body = ", "array[0].normal_body", "must be a unit vector"),
        ('name = "svalbard"', "ground_station[1].name", "name of ground_station[0] already"),
        ('metric = "contact"', "requirement[3].metric", "did you mean 'contacts'?"),
    ),
    scenario_case(
        "a rule is broken while another table is wrong by itself",
        [
            ("albedo_ratio = 0.3", "albedo_ratio = 30"),
            ("max_duration_s = 30", "max_duration_s = 0.3"),
        ],
        ("albedo_ratio = 30", "thermal.albedo_ratio", "from 0 to 1, got 30"),
        ("duration_s = 0.6", "model[0].duration_s", "at most max_duration_s (0.3)"),
    ),
    scenario_case(
        "figures that physics cannot step with",
        [("capacity_j_per_k = 180", "capacity_j_per_k = 0.001")],
        ("[thermal]", "thermal", "cannot be computed: "),
    ),
    scenario_case(
        "not TOML",
        [("[mission]", "[mission")],
        ("[mission", "", "is not TOML: Expected ']' at the end of a table declaration"),
    ),
    scenario_case(
        "the same key twice",
        [("seed = 1", "seed = 1\nseed = 2")],
        ("seed = 2", "", "is not TOML: Cannot overwrite a value"),
    ),
    installation_case(
        "name, family and port",
        [('"node-1"', '"Node 1"'), ('"simulated"', '"simulatd"'), ("port = 1884", "port = 0")],
        ('node = "Node 1"', "node", "lower-case letters"),
        ('family = "simulatd"', "board.family", "did you mean 'simulated'?"),
        ("port = 0", "broker.port", "a whole number from 1 to 65535, got 0"),
    ),
    installation_case(
        "free run on a real board",
        [
            ('mode = "scaled"', 'mode = "freerun"'),
            ('family = "simulated"', 'family = "generic"'),
            ('executor = "simulated"', 'executor = "onnx"'),
        ],
        ('family = "generic"', "board.family", 'must be "simulated" with clock.mode = "freerun"'),
        ("rate = 20", "clock.rate", 'must be 1 with mode = "freerun", got 20'),
        ('executor = "onnx"', "inference.executor", 'must be "simulated"'),
    ),
    installation_case(
        "real time has no rate",
        [('mode = "scaled"', 'mode = "realtime"')],
        ("rate = 20", "clock.rate", 'must be 1 with mode = "realtime", got 20'),
    ),
    installation_case(
        "another version and no scenario",
        [("schema = 1", "schema = 2"), ('scenario = "demo.toml"\n', "")],
        ("", "scenario", "required key is missing"),
        ("schema = 2", "schema", "expected 1, got 2"),
    ),
    Case(
        "both files",
        [("initial_soc = 0.9", "initial_soc = -0.1"), ("count = 9", "count = 0")],
        [("port = 1884", 'port = "1884"')],
        [
            Expected("demo.toml", "initial_soc = -0.1", "battery.initial_soc", "got -0.1"),
            Expected("demo.toml", "count = 0", "workload[0].count", "from 1 to 1000000, got 0"),
            Expected("node.toml", 'port = "1884"', "broker.port", 'got the text "1884"'),
        ],
    ),
    Case(
        "the scenario does not parse and the installation is wrong",
        [("tick_s = 1", "tick_s = = 1")],
        [("rate = 20", "rate = -20")],
        [
            Expected("demo.toml", "tick_s = = 1", "", "is not TOML: Invalid value"),
            Expected("node.toml", "rate = -20", "clock.rate", "above 0 and up to 100000, got -20"),
        ],
    ),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with good files, which is also the working directory."""
    shutil.copy(SCENARIOS / "demo.toml", tmp_path / "demo.toml")
    (tmp_path / "node.toml").write_text(INSTALLATION)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mutate(path: Path, changes: list[tuple[str, str]]) -> None:
    text = path.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text)


def is_near(path: Path, line: str | None, text: str) -> bool:
    """Tell whether the numbered line of the file holds the text."""
    if line is None or not text:
        return line is None and not text
    return text in path.read_text().split("\n")[int(line) - 1]


def errors_of(path: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert run_check(Path(path), show=False) == 78
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_wrong_file(case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mutate(folder / "demo.toml", case.scenario)
    mutate(folder / "node.toml", case.installation)

    lines = errors_of("node.toml", capsys)

    assert len(lines) == len(case.expected), lines
    for line, each in zip(lines, case.expected, strict=True):
        match = re.match(rf"{each.file}(?::(\d+))?: (.*)", line)
        assert match, line
        assert is_near(folder / each.file, match[1], each.near), line
        assert match[2].startswith(f"{each.path}: " if each.path else ""), line
        assert each.words in match[2], line


def test_the_same_for_a_scenario_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mutate(folder / "demo.toml", [("initial_soc = 0.9", "initial_soc = 1.7")])

    [line] = errors_of("demo.toml", capsys)

    number = (folder / "demo.toml").read_text().split("\n").index("initial_soc = 1.7") + 1
    assert line == (
        f"demo.toml:{number}: battery.initial_soc: expected a number from 0 to 1, got 1.7"
    )
    with pytest.raises(ConfigError, match="expected a number from 0 to 1"):
        load_scenario(Path("demo.toml"))


def write_bytes(path: Path) -> None:
    path.write_bytes(b"schema = 1\n# caf\xe9\n")


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "prefix"),
    [
        (Path.unlink, "node.toml: cannot be read: No such file or directory"),
        (make_folder, "node.toml: cannot be read: Is a directory"),
        (write_bytes, "node.toml:2: is not UTF-8: byte 0xe9"),
        (lambda path: path.write_text("a = '\n"), "node.toml:1: is not TOML: "),
        (lambda path: path.write_text("a = 1\nb = [1,\n"), "node.toml:2: is not TOML: "),
        (lambda path: path.write_text(f"a = {'[' * 5000}"), "node.toml"),
        (lambda path: path.write_text(f"a = {'9' * 5000}\n"), "node.toml"),
        (lambda path: path.write_text("#" * (1 << 20 | 1)), "node.toml: is larger than 1048576"),
        (lambda path: path.write_text(""), "node.toml: is neither a scenario"),
        (lambda path: path.write_text("x = 1"), "node.toml: is neither a scenario"),
    ],
)
def test_a_file_that_is_no_configuration(
    spoil: Callable[[Path], object],
    prefix: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(folder / "node.toml")

    [line] = errors_of("node.toml", capsys)

    assert line.startswith(prefix)


@pytest.mark.parametrize("spoil", [Path.unlink, make_folder, write_bytes])
def test_a_scenario_that_is_not_there(
    spoil: Callable[[Path], object], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(folder / "demo.toml")
    mutate(folder / "node.toml", [("port = 1884", "port = 0")])

    lines = errors_of("node.toml", capsys)

    assert [line.split(":")[0] for line in lines] == ["demo.toml", "node.toml"]


def test_good_files_say_what_flies(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_check(folder / "node.toml", show=False) == 0

    out, err = capsys.readouterr()
    assert err == ""
    for words in (
        "no problems",
        "node-1 on a simulated board",
        "20 mission seconds a second",
        "Sun-synchronous at 550 km",
        "84.5 Wh",
        "svalbard, kiruna, maspalomas",
        "dlr-cloud-unet",
        "5 requirements",
    ):
        assert words in out


def test_a_warning_is_shown_and_does_not_fail(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mutate(folder / "demo.toml", [("count = 9", "count = 999")])

    assert run_check(Path("node.toml"), show=False) == 0

    out, err = capsys.readouterr()
    assert err == ""
    assert re.search(r"^warning: demo\.toml:\d+: workload\[0\]\.count: ", out, re.MULTILINE)
    assert len(load_installation(folder / "node.toml").warnings) == 1


def test_the_effective_configuration(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_check(Path("node.toml"), show=True) == 0

    out, _ = capsys.readouterr()
    assert f'models = "{(folder / "../models").resolve()}"' in out
    assert f'anchor = "{folder / "state" / "clock.json"}"' in out
    assert "stop_grace_s = 0.1" in out
    assert "[[ground_station]]" in out
    installation, scenario = out.split("# scenario ")
    (folder / "again.toml").write_text(installation)
    (folder / "flies.toml").write_text("# scenario " + scenario)
    assert load_scenario(folder / "flies.toml") == load_scenario(folder / "demo.toml")
    again, first = (load_installation(folder / name) for name in ("again.toml", "node.toml"))
    assert again.state_path == first.state_path
    assert again.installation.clock.rate == first.installation.clock.rate


def test_paths_count_from_the_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    loaded = load_installation(Path("../node.toml"))

    assert loaded.path == folder / "node.toml"
    assert loaded.scenario_path == folder / "demo.toml"
    assert loaded.models_path == folder.parent / "models"
    assert loaded.state_path == folder / "state"
    assert loaded.anchor_path == folder / "state" / "clock.json"
    assert loaded.password_path == folder / "secrets" / "password"


def test_the_hash_changes_with_either_file(folder: Path) -> None:
    hashes = [load_installation(folder / "node.toml").config_hash]
    for name in ("node.toml", "demo.toml"):
        with (folder / name).open("a") as stream:
            stream.write("# touched\n")
        hashes.append(load_installation(folder / "node.toml").config_hash)

    assert len(set(hashes)) == 3
    assert all(re.fullmatch(r"[0-9a-f]{64}", each) for each in hashes)


def test_windows_line_ends_do_not_move_lines(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folder / "demo.toml").read_text().replace("initial_soc = 0.9", "initial_soc = 9")
    (folder / "demo.toml").write_bytes(text.replace("\n", "\r\n").encode())

    [line] = errors_of("demo.toml", capsys)

    assert line.startswith(f"demo.toml:{text.split(chr(10)).index('initial_soc = 9') + 1}: ")
