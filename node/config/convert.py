"""Decoded TOML into msgspec structs, with every problem found and worded for people.

msgspec itself stops at its first error and speaks of types; so the walk over tables and lists is
done here and only leaves and the final build are left to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import UnionType
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo

from node.config import wording
from node.config.finding import Finding
from node.config.locate import child

Built = TypeVar("Built", bound=Struct)


@dataclass(frozen=True)
class Converted(Generic[Built]):
    """What became of one document."""

    value: Built | None
    """None where anything is wrong."""
    tables: dict[str, Any]
    """The top-level values that are right, so that rules can look at them in spite of the rest."""
    findings: list[Finding]


def convert(data: dict[str, Any], type_: type[Built]) -> Converted[Built]:
    """Build ``type_`` from a decoded TOML document, or find everything that is wrong with it.

    Args:
        data: what the TOML parser returned.
        type_: struct whose fields are structs, lists and tuples, unions of structs with a tag,
            literals and leaves that msgspec knows.
    """
    findings: list[Finding] = []
    tables: dict[str, Any] = {}
    _unknown_keys(data, type_, "$", findings)
    for field in msgspec.structs.fields(type_):
        before = len(findings)
        _field(data, field, "$", findings)
        if len(findings) > before:
            continue
        if field.encode_name in data:
            tables[field.name] = msgspec.convert(data[field.encode_name], field.type)
        else:
            tables[field.name] = _default(field)
    return Converted(None if findings else type_(**tables), tables, findings)


def _default(field: FieldInfo) -> Any:  # noqa: ANN401 - a field's value has any type
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _struct(value: object, type_: type[Struct], path: str, findings: list[Finding]) -> None:
    if not isinstance(value, dict):
        findings.append(Finding(path, f"expected a table, got {wording.found(value)}"))
        return
    _unknown_keys(value, type_, path, findings)
    for field in msgspec.structs.fields(type_):
        _field(value, field, path, findings)


def _unknown_keys(
    table: dict[str, Any], type_: type[Struct], path: str, findings: list[Finding]
) -> None:
    known = [field.encode_name for field in msgspec.structs.fields(type_)]
    tag_field = type_.__struct_config__.tag_field
    for key in table:
        if key not in known and key != tag_field:
            unset = [name for name in known if name not in table]
            hint = wording.did_you_mean(key, unset)
            findings.append(Finding(child(path, key), f"unknown key{hint}"))


def _field(table: dict[str, Any], field: FieldInfo, parent: str, findings: list[Finding]) -> None:
    path = child(parent, field.encode_name)
    if field.encode_name in table:
        _value(table[field.encode_name], field.type, path, findings)
    elif field.required:
        findings.append(Finding(path, _missing(field)))


def _missing(field: FieldInfo) -> str:
    type_, _ = bare_type(field.type)
    if get_origin(type_) is list and _is_struct(get_args(type_)[0]):
        return f"required list of tables is missing; write [[{field.encode_name}]]"
    if _is_struct(type_) or struct_members(type_):
        return "required table is missing"
    return "required key is missing"


def _value(value: object, annotation: object, path: str, findings: list[Finding]) -> None:
    type_, metas = bare_type(annotation)
    members = struct_members(type_)
    if members:
        _tagged(value, members, path, findings)
    elif _is_struct(type_):
        _struct(value, type_, path, findings)  # type: ignore[arg-type]  # is a Struct: just checked
    elif get_origin(type_) is list:
        _list(value, get_args(type_)[0], metas, path, findings)
    elif get_origin(type_) is tuple:
        _tuple(value, get_args(type_), path, findings)
    elif get_origin(type_) is Literal:
        _choice(value, get_args(type_), path, findings)
    else:
        message = _leaf(value, annotation, type_, metas)
        if message:
            findings.append(Finding(path, message))


def bare_type(annotation: object) -> tuple[object, tuple[Meta, ...]]:
    """Take ``Annotated`` and ``| None`` off a type: TOML has no null to write."""
    metas: tuple[Meta, ...] = ()
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *extra = get_args(annotation)
            metas += tuple(meta for meta in extra if isinstance(meta, Meta))
            continue
        if get_origin(annotation) in (Union, UnionType):
            rest = [member for member in get_args(annotation) if member is not type(None)]
            if len(rest) == 1:
                annotation = rest[0]
                continue
        return annotation, metas


def _is_struct(type_: object) -> bool:
    return isinstance(type_, type) and issubclass(type_, Struct)


def struct_members(type_: object) -> tuple[type[Struct], ...]:
    """Members of a union of structs; empty for everything else."""
    if get_origin(type_) not in (Union, UnionType):
        return ()
    return tuple(member for member in get_args(type_) if _is_struct(member))


def _tagged(
    value: object, members: tuple[type[Struct], ...], path: str, findings: list[Finding]
) -> None:
    """Check a union whose tag says which struct it is."""
    if not isinstance(value, dict):
        findings.append(Finding(path, f"expected a table, got {wording.found(value)}"))
        return
    tag_field = str(members[0].__struct_config__.tag_field)
    by_tag = {member.__struct_config__.tag: member for member in members}
    tags = [str(tag) for tag in by_tag]
    tag_path = child(path, tag_field)
    if tag_field not in value:
        message = f"required key is missing; write one of {wording.one_of(tags)}"
        findings.append(Finding(tag_path, message))
        return
    tag = value[tag_field]
    if not isinstance(tag, str) or tag not in by_tag:
        _choice(tag, tuple(tags), tag_path, findings)
        return
    _struct(value, by_tag[tag], path, findings)


def _list(
    value: object, entry: object, metas: tuple[Meta, ...], path: str, findings: list[Finding]
) -> None:
    if not isinstance(value, list):
        hint = ""
        if _is_struct(entry) and isinstance(value, dict):
            name = path[2:].rpartition("]")[2].lstrip(".")
            hint = f"; write [[{name}]] with two brackets"
        noun = "tables" if _is_struct(entry) else "values"
        findings.append(
            Finding(path, f"expected a list of {noun}, got {wording.found(value)}{hint}")
        )
        return
    for meta in metas:
        if len(value) < (meta.min_length or 0) or len(value) > (meta.max_length or math.inf):
            expected = wording.sizes(meta, "entries")
            findings.append(Finding(path, f"expected {expected}, got {len(value)}"))
    for index, item in enumerate(value):
        _value(item, entry, f"{path}[{index}]", findings)


def _tuple(value: object, entries: tuple[object, ...], path: str, findings: list[Finding]) -> None:
    if not isinstance(value, list) or len(value) != len(entries):
        message = f"expected a list of {len(entries)}, got {wording.found(value)}"
        findings.append(Finding(path, message))
        return
    for index, (item, entry) in enumerate(zip(value, entries, strict=True)):
        _value(item, entry, f"{path}[{index}]", findings)


def _choice(value: object, choices: tuple[object, ...], path: str, findings: list[Finding]) -> None:
    if not any(value == choice and type(value) is type(choice) for choice in choices):
        hint = wording.did_you_mean(value, [str(choice) for choice in choices])
        message = f"expected {wording.one_of(choices)}, got {wording.found(value)}{hint}"
        findings.append(Finding(path, message))


def _leaf(value: object, annotation: object, type_: object, metas: tuple[Meta, ...]) -> str | None:
    """Let msgspec judge one value; return its refusal in our words, None where it is right."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"expected a finite number, got {value}"
    try:
        msgspec.convert(value, annotation)
    except msgspec.ValidationError:
        pass
    else:
        return None
    return f"expected {_expected(value, type_, metas)}, got {wording.found(value)}"


def _expected(value: object, type_: object, metas: tuple[Meta, ...]) -> str:
    """Name the kind where that is wrong, and the bounds where only they are."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    for meta in metas:
        if type_ is float and is_number:
            return wording.numbers(type_, meta)
        if type_ is int and is_number and not isinstance(value, float):
            return wording.numbers(type_, meta)
        if type_ is str and isinstance(value, str):
            return wording.texts(meta)
    return wording.kind(type_)
