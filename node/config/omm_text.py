"""The three ways to write a CCSDS orbit mean-elements message: JSON, keyword = value lines, XML.

Only the writing is read here: which keyword has which text. What keywords mean, and which there
must be, is the matter of `node.config.omm`.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple
from xml.parsers import expat

from node.config import wording

_KVN_LINE = re.compile(r"([A-Z][A-Z0-9_]*)\s*=\s*(.*?)\s*(?:\[([^\[\]]*)\])?\s*")
_ROOTS = ("omm", "ndm")
_VERSION = "CCSDS_OMM_VERS"


class Field(NamedTuple):
    """One keyword of the message as it is written."""

    keyword: str
    text: str
    unit: str
    """Empty where the message names none."""
    line: int | None
    """In the message, from 1; None where the form does not tell."""


class Written(NamedTuple):
    """What stands in a message."""

    fields: list[Field]
    """In the order of the message; those without a value are left out."""
    problems: list[str]
    has_metadata: bool
    """Whether frame, centre, time system and theory must be named: JSON leaves them out."""


def read_text(text: str) -> Written:
    """Tell the form of a message by its first character and take it apart."""
    first = text.lstrip("\ufeff \t\r\n")[:1]
    if first in ("{", "["):
        return _json(text)
    return _xml(text) if first == "<" else _kvn(text)


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its repeated keys, unlike a JSON list."""


def _json(text: str) -> Written:
    """One object, or a list of one, whose values are texts or numbers."""
    try:
        # Numbers stay texts, so that they are judged as those of the other forms.
        document = json.loads(
            text.lstrip("\ufeff"),
            object_pairs_hook=_Pairs,
            parse_float=str,
            parse_int=str,
            parse_constant=str,
        )
    except RecursionError:
        return _unreadable("its lists are nested too deeply", has_metadata=False)
    except ValueError as error:
        return _unreadable(f"it is not JSON: {error}", has_metadata=False)
    if not isinstance(document, _Pairs):
        if len(document) != 1 or not isinstance(document[0], _Pairs):
            return _unreadable(
                f"expected one object or a list of one object, got a list of {len(document)}",
                has_metadata=False,
            )
        document = document[0]
    fields: list[Field] = []
    problems: list[str] = []
    for keyword, value in document:
        if isinstance(value, str):
            fields.append(Field(keyword, value.strip(), "", None))
        elif value is not None:
            kind = "true or false" if isinstance(value, bool) else "a list or an object"
            problems.append(f"{wording.quoted(keyword)}: expected a text or a number, got {kind}")
    return Written(_with_values(fields), problems, has_metadata=False)


def _kvn(text: str) -> Written:
    """Lines of ``KEYWORD = value [unit]``; comments and blank lines are nothing."""
    fields: list[Field] = []
    problems: list[str] = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.split()[0] == "COMMENT":
            continue
        match = _KVN_LINE.fullmatch(stripped)
        if match is None:
            problems.append(
                f"line {number} of the message: expected KEYWORD = value, "
                f"got {wording.quoted(stripped)}"
            )
            continue
        fields.append(Field(match[1], match[2], (match[3] or "").strip(), number))
    return Written(_with_values(fields), problems, has_metadata=True)


def _xml(text: str) -> Written:
    """The elements without elements inside are the keywords."""
    reader = _XmlReader()
    try:
        fields = reader.read(text.lstrip("\ufeff"))
    except expat.ExpatError as error:
        return _unreadable(f"it is not XML: {error}", has_metadata=True)
    except ValueError as error:
        return _unreadable(str(error), has_metadata=True)
    return Written(_with_values(fields), [], has_metadata=True)


class _XmlReader:
    """Collects leaf elements; refuses a document type, and with it every entity of its own."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._fields: list[Field] = []
        self._depth = 0
        self._leaf: tuple[str, str, int] | None = None
        """Name, unit and line of the innermost open element as long as it holds no other."""
        self._text: list[str] = []

    def read(self, text: str) -> list[Field]:
        self._parser.Parse(text, True)
        return self._fields

    def _doctype(self, *_: object) -> None:
        raise ValueError("it declares a document type, which an orbit message does not have")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        line = self._parser.CurrentLineNumber
        if self._depth == 0 and local not in _ROOTS:
            raise ValueError(f"its root is <{wording.quoted(name)[1:-1]}>, expected <omm> or <ndm>")
        if local == "omm":
            self._fields.append(Field(_VERSION, attributes.get("version", "").strip(), "", line))
        self._depth += 1
        self._leaf = (local, attributes.get("units", "").strip(), line)
        self._text = []

    def _characters(self, data: str) -> None:
        self._text.append(data)

    def _end(self, _: str) -> None:
        self._depth -= 1
        if self._leaf is not None:
            name, unit, line = self._leaf
            self._fields.append(Field(name, "".join(self._text).strip(), unit, line))
        self._leaf = None


def _unreadable(problem: str, *, has_metadata: bool) -> Written:
    return Written([], [problem], has_metadata)


def _with_values(fields: list[Field]) -> list[Field]:
    return [field for field in fields if field.text]
