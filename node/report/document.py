"""The HTML document around every page: style, light and dark, the script, tables. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template

import msgspec

from node.report.axes import number
from node.report.cursor import CursorData
from node.report.metrics import METRICS
from node.report.verdict import Verdict

_OPERATORS = {"<=": "≤", ">=": "≥", "==": "="}
LEGEND = (
    '<ul class="key"><li><i class="eclipse"></i>eclipse</li>'
    '<li><i class="pass"></i>pass over a station</li></ul>'
)


def document(title: str, body: str, data: CursorData) -> str:
    """Put the body into the one self-contained file that asks nothing of the network.

    Args:
        title: plain text.
        body: HTML that is well-formed XML.
        data: what the script shows under the pointer.
    """
    template = Template(files("node.report").joinpath("document.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(title), body=body, data=_script_safe(msgspec.json.encode(data).decode())
    )


def pill(passed: bool) -> str:
    """Draw a verdict."""
    word = "PASS" if passed else "FAIL"
    return f'<span class="pill {word.lower()}">{word}</span>'


def tiles(figures: Iterable[tuple[str, str]]) -> str:
    """Lay out figures, each with what it is."""
    items = (f"<li><b>{escape(v)}</b><span>{escape(t)}</span></li>" for v, t in figures)
    return f'<ul class="tiles">{"".join(items)}</ul>'


def requirements(verdicts: Sequence[Verdict], not_judged: Sequence[str]) -> str:
    """Tabulate every requirement with its verdict."""
    rows = [
        (
            pill(verdict.passed),
            _requirement_name(verdict.metric),
            f"{_OPERATORS.get(verdict.operator, escape(verdict.operator))} {number(verdict.value)}",
            "no figure" if verdict.actual is None else number(verdict.actual),
        )
        for verdict in verdicts
    ]
    rows += [('<span class="pill">not judged</span>', escape(text), "", "") for text in not_judged]
    if not rows:
        return '<h2>Requirements</h2><p class="note">The scenario has none.</p>'
    head = ("", "Requirement", "Required", "Actual")
    body = raw_table(head, rows, numbers=(2, 3))
    return f'<h2>Requirements</h2><div class="verdicts">{body}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[int] = ()) -> str:
    """Lay out a table of plain text."""
    return raw_table(head, [tuple(escape(cell) for cell in row) for row in rows], numbers)


def raw_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[int] = ()
) -> str:
    """Lay out a table of cells that are HTML already."""

    def cells(tag: str, row: Sequence[str]) -> str:
        kinds = [' class="n"' if index in numbers else "" for index in range(len(row))]
        pairs = zip(kinds, row, strict=True)
        return "".join(f"<{tag}{kind}>{cell}</{tag}>" for kind, cell in pairs)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f'<div class="card"><table><thead><tr>{cells("th", head)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _requirement_name(metric: str) -> str:
    code = f"<code>{escape(metric)}</code>"
    known = METRICS.get(metric)
    return code if known is None else f'{escape(known.text)}<span class="sub">{code}</span>'


def _script_safe(json_text: str) -> str:
    """Escape what could end a script element or break XML; JSON reads it as the same text."""
    return json_text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
