"""The whole effective configuration as text: what was written, what was defaulted, where it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from node.config.installation import Installation
from node.config.load import LoadedInstallation
from node.config.scenario import Scenario


def effective(loaded: LoadedInstallation | Installation | Scenario) -> str:
    """Render a checked configuration as TOML, defaults filled in and paths made absolute.

    Keys that are unset are left out. The text of each file loads again as that file.
    """
    if isinstance(loaded, (Scenario, Installation)):
        return document(loaded)
    installation = loaded.installation
    replace = msgspec.structs.replace
    password, board = loaded.password_path, installation.board
    if board.profile is not None:
        board = replace(board, profile=str(loaded.path.parent / board.profile))
    inference = replace(installation.inference, models=str(loaded.models_path))
    if inference.provider_options.tensorrt is not None and loaded.engine_cache_path is not None:
        tensorrt = replace(
            inference.provider_options.tensorrt,
            trt_engine_cache_path=str(loaded.engine_cache_path),
        )
        options = replace(inference.provider_options, tensorrt=tensorrt)
        inference = replace(inference, provider_options=options)
    resolved = replace(
        installation,
        scenario=str(loaded.scenario_path),
        board=board,
        clock=replace(installation.clock, anchor=str(loaded.anchor_path)),
        broker=replace(
            installation.broker, password_file=None if password is None else str(password)
        ),
        inference=inference,
        store=replace(installation.store, path=str(loaded.state_path)),
    )
    return (
        f"# installation {loaded.path}\n# config_hash {loaded.config_hash}\n{document(resolved)}"
        f"\n# scenario {loaded.scenario_path}\n{document(loaded.scenario)}"
    )


def document(struct: msgspec.Struct) -> str:
    """Write a struct as TOML; keys that are unset are left out."""
    plain = msgspec.to_builtins(struct, builtin_types=(datetime,))
    return "\n".join(_table(plain, ())) + "\n"


def _table(table: dict[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table: values first, since a header ends the table before it."""
    nested: list[tuple[str, Any]] = []
    for key, value in table.items():
        if isinstance(value, dict) or (_is_tables(value)):
            nested.append((key, value))
        elif value is not None:
            yield f"{key} = {_value(value)}"
    for key, value in nested:
        inner = (*path, key)
        name = ".".join(inner)
        for entry in [value] if isinstance(value, dict) else value:
            yield ""
            yield f"[{name}]" if isinstance(value, dict) else f"[[{name}]]"
            yield from _table(entry, inner)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _value(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(entry) for entry in value)}]"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    # JSON's strings, numbers and booleans are TOML's too.
    return msgspec.json.encode(value).decode()
