"""Find the line on which each key of a TOML document stands.

The standard parser gives values without places. This scanner reads the same text a second time
and only for its places; it trusts that the parser has accepted the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
# A multi-line string may end in up to two quotes of its own before the three that close it.
_STRING = re.compile(
    r'''"""(?:[^\\]|\\.)*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:'{0,2})'''
    r"""|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""",
    re.DOTALL,
)
_LAST_STEP = re.compile(r"""(?:\."[^"]*"|[.\[][^.\["]*)$""")
_SCALAR = re.compile(r"[^,\]}#\n]*")


def child(path: str, key: str) -> str:
    """Path of ``key`` inside the table at ``path``; a key that is not bare keeps quotes."""
    return f"{path}.{key}" if _BARE.fullmatch(key) else f'{path}."{key}"'


def locate(text: str) -> dict[str, int]:
    """Map the path of every table, key and array entry of a valid TOML text to its line.

    Args:
        text: a document that the TOML parser has accepted.

    Returns:
        Lines counted from 1 by path: ``$.ground_station[1].latitude_deg``. A table that is only
        implied by a longer header stands where it is first implied.
    """
    return _Scanner(text).scan()


def line_of(lines: dict[str, int], path: str) -> int | None:
    """Line of ``path``, or of the nearest thing around it that has one; None for the whole file."""
    while path not in lines:
        parent = _LAST_STEP.sub("", path)
        if parent == path:
            return None
        path = parent
    return lines[path]


class _Scanner:
    """One pass over the text; ``position`` only grows."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._lines: dict[str, int] = {}
        self._last_entry: dict[str, int] = {}
        """Index of the newest entry of each array of tables."""

    def scan(self) -> dict[str, int]:
        table = "$"
        self._take(_BLANK)
        while self._position < len(self._text):
            if self._text.startswith("[", self._position):
                table = self._header()
            else:
                self._pair(table)
            self._take(_BLANK)
        return self._lines

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._position)
        taken = match.group() if match else ""
        self._position += len(taken)
        return taken

    def _line(self) -> int:
        return bisect_left(self._newlines, self._position) + 1

    def _keys(self) -> list[str]:
        """Read a dotted key."""
        keys = []
        while True:
            self._take(_BLANK)
            key = self._take(_KEY)
            keys.append(key[1:-1] if key[:1] in ('"', "'") else key)
            self._take(_BLANK)
            if not self._text.startswith(".", self._position):
                return keys
            self._position += 1

    def _header(self) -> str:
        """Read ``[a.b]`` or ``[[a.b]]`` and return the path of the table that it opens."""
        line = self._line()
        brackets = 2 if self._text.startswith("[[", self._position) else 1
        self._position += brackets
        *parents, last = self._keys()
        self._position += brackets
        path = "$"
        for key in parents:
            path = self._enter(child(path, key), line)
        path = child(path, last)
        if brackets == 1:
            self._lines[path] = line
            return path
        self._lines.setdefault(path, line)
        index = self._last_entry.get(path, -1) + 1
        self._last_entry[path] = index
        entry = f"{path}[{index}]"
        self._lines[entry] = line
        return entry

    def _enter(self, path: str, line: int) -> str:
        """Step into a table that a header or dotted key names on its way."""
        self._lines.setdefault(path, line)
        return f"{path}[{self._last_entry[path]}]" if path in self._last_entry else path

    def _pair(self, table: str) -> None:
        """Read ``key = value``."""
        line = self._line()
        *parents, last = self._keys()
        self._position += 1
        path = table
        for key in parents:
            path = self._enter(child(path, key), line)
        path = child(path, last)
        self._lines[path] = line
        self._value(path)

    def _value(self, path: str) -> None:
        self._take(_BLANK)
        opening = self._text[self._position : self._position + 1]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        elif not self._take(_STRING):
            self._take(_SCALAR)

    def _array(self, path: str) -> None:
        self._position += 1
        index = 0
        while not self._closes("]"):
            entry = f"{path}[{index}]"
            self._lines[entry] = self._line()
            self._value(entry)
            index += 1

    def _inline_table(self, path: str) -> None:
        self._position += 1
        while not self._closes("}"):
            self._pair(path)

    def _closes(self, bracket: str) -> bool:
        """Step over blanks and a comma, and over ``bracket`` where it comes next."""
        self._take(_BLANK)
        if self._text.startswith(",", self._position):
            self._position += 1
            self._take(_BLANK)
        if self._position >= len(self._text):
            return True
        if self._text.startswith(bracket, self._position):
            self._position += 1
            return True
        return False
