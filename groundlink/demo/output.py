"""How a run is shown: a live picture, a line an event, or JSON lines."""

from __future__ import annotations

import sys
from typing import Protocol, TextIO

import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from groundlink.demo.view import Picture, draw
from node.report.axes import clock, number
from node.report.run import RunEvent, Summary


class Output(Protocol):
    """Where a run shows itself."""

    def say(self, text: str) -> None:
        """Show a line about the preparation or the end."""

    def event(self, event: RunEvent) -> None:
        """Show something that happened."""

    def frame(self, picture: Picture) -> None:
        """Show the state of things."""

    def verdict(self, summary: Summary) -> None:
        """Show how the run ended."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class LineOutput:
    """A line an event; for logs and terminals without cursor."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream

    def say(self, text: str) -> None:
        """Print the line."""
        print(text, file=self._stream, flush=True)

    def event(self, event: RunEvent) -> None:
        """Print the event with its mission time."""
        self.say(f"T{clock(event.mission_s)}  {event.code:<14} {event.text}")

    def frame(self, picture: Picture) -> None:
        """Print nothing: events say it."""

    def verdict(self, summary: Summary) -> None:
        """Print the table of requirements."""
        print_verdict(summary, Console(file=self._stream, width=80))

    def close(self) -> None:
        """Nothing to leave."""


class JsonOutput:
    """JSON lines for programs; each has ``type``."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream

    def say(self, text: str) -> None:
        """Print ``{"type": "note", "text": ...}``."""
        self._print({"type": "note", "text": text})

    def event(self, event: RunEvent) -> None:
        """Print ``{"type": "event", "mission_s": ..., "code": ..., "text": ...}``."""
        self._print({"type": "event", **msgspec.to_builtins(event)})

    def frame(self, picture: Picture) -> None:
        """Print nothing: telemetry is in the run folder."""

    def verdict(self, summary: Summary) -> None:
        """Print ``{"type": "summary", ...}``: all of ``summary.json``."""
        self._print({"type": "summary", **msgspec.to_builtins(summary)})

    def close(self) -> None:
        """Nothing to leave."""

    def _print(self, value: dict[str, object]) -> None:
        print(msgspec.json.encode(value).decode(), file=self._stream, flush=True)


class LiveOutput:
    """The live picture in a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    def say(self, text: str) -> None:
        """Print the line above the picture."""
        self._console.print(Text(text), soft_wrap=True)

    def event(self, event: RunEvent) -> None:
        """Print nothing: the picture has the last events."""

    def frame(self, picture: Picture) -> None:
        """Draw the picture in place of the one before."""
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, redirect_stderr=False)
            self._live.start()
        self._live.update(draw(picture), refresh=True)

    def verdict(self, summary: Summary) -> None:
        """Print the table of requirements under the last picture."""
        self.close()
        print_verdict(summary, self._console)

    def close(self) -> None:
        """Stop drawing; the last picture stays."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def print_verdict(summary: Summary, console: Console) -> None:
    """Print each requirement with its verdict."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column("Requirement", no_wrap=True)
    table.add_column("Required", justify="right")
    table.add_column("Actual", justify="right")
    for verdict in summary.verdicts:
        table.add_row(
            Text("PASS", "bold green") if verdict.passed else Text("FAIL", "bold red"),
            verdict.metric,
            f"{verdict.operator} {number(verdict.value)}",
            "no figure" if verdict.actual is None else number(verdict.actual),
        )
    for text in summary.not_evaluated:
        table.add_row(Text("--", "dim"), Text(text, "dim"), "", "")
    console.print(table)
    console.print(
        Text("PASS: every requirement is met", "bold green")
        if summary.passed
        else Text("FAIL", "bold red")
    )


def choose(*, headless: bool, json: bool) -> Output:
    """Take the output that the user asked for; without a terminal there is no live picture."""
    if json:
        return JsonOutput()
    console = Console()
    return LineOutput() if headless or not console.is_terminal else LiveOutput(console)
