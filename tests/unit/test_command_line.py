from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import ModuleType

import pytest

from node.command_line import CommandLine
from node.errors import PhysicsError

LINE = CommandLine("tool", "a tool", "made_up_commands", {"go": "go on"}, "")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("made_up_commands.go")
    module.DESCRIPTION = "go on"  # type: ignore[attr-defined] - a module made by hand
    module.add_arguments = lambda parser: parser.add_argument("--far")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_up_commands", ModuleType("made_up_commands"))
    monkeypatch.setitem(sys.modules, "made_up_commands.go", module)
    return module


def fail_with(error: BaseException) -> object:
    def run(_: argparse.Namespace) -> int:
        raise error

    return run


def test_a_command_gets_its_arguments_and_gives_its_status(command: ModuleType) -> None:
    command.run = lambda arguments: int(arguments.far)  # type: ignore[attr-defined]
    assert LINE.main(["go", "--far", "7"]) == 7


@pytest.mark.parametrize(
    ("error", "status"), [(PhysicsError("no orbit"), 1), (KeyboardInterrupt(), 130)]
)
def test_errors_become_statuses(
    command: ModuleType,
    error: BaseException,
    status: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command.run = fail_with(error)  # type: ignore[attr-defined]
    assert LINE.main(["go"]) == status
    assert ("tool go: no orbit\n" in capsys.readouterr().err) is (status == 1)


def test_an_argument_that_is_found_wrong_late_ends_like_one_found_early(
    command: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    command.run = fail_with(argparse.ArgumentTypeError("argument --far: too far"))  # type: ignore[attr-defined]
    with pytest.raises(SystemExit) as ended:
        LINE.main(["go"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "usage: tool go [-h] [--far FAR]\ntool go: error: argument --far: too far\n"
    )


def test_a_broken_pipe_that_is_not_stdout_is_not_hidden(
    command: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.run = fail_with(BrokenPipeError("a socket"))  # type: ignore[attr-defined]
    with (tmp_path / "out").open("w") as stdout:
        for stream in (stdout, None):
            with monkeypatch.context() as patched:
                patched.setattr(sys, "stdout", stream)
                with pytest.raises(BrokenPipeError, match="a socket"):
                    LINE.main(["go"])


def test_a_program_without_stdout_runs(
    command: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.run = lambda _: 0  # type: ignore[attr-defined]
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", None)
        status = LINE.main(["go"])
    assert status == 0
