"""Who may import whom. Each rule is one that the reader of a module relies on."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("node", "groundlink")
SHELL_ONLY = (
    "aiomqtt",
    "asyncio",
    "logging.handlers",
    "numpy",
    "onnxruntime",
    "paho",
    "prometheus_client",
    "psutil",
    "socket",
    "sqlite3",
)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {
    module_name(path): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


def loaded_by(*arguments: str) -> set[str]:
    """Run Python in a fresh process and return every module that it had loaded at its end."""
    script = (
        "import runpy, sys\n"
        "try:\n"
        "    if sys.argv[1] == '-m':\n"
        "        sys.argv = sys.argv[2:]\n"
        "        runpy.run_module(sys.argv[0], run_name='__main__')\n"
        "    else:\n"
        "        for name in sys.argv[1:]:\n"
        "            __import__(name)\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "sys.stderr.write(' '.join(sys.modules))\n"
    )
    program = f"import sys; sys.path[:0] = {sys.path!r}\n{script}"
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            program,
            *arguments,
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    return set(done.stderr.split())


def imports(path: Path, *, at_the_top: bool = False) -> Iterator[str]:
    """Every module that a file imports, but for type checkers alone."""
    tree = ast.parse(path.read_text())
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    late = {
        inner
        for node in ast.walk(tree)
        if at_the_top and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in for_types or node in late:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module
            for alias in node.names:
                if f"{node.module}.{alias.name}" in FILES:
                    yield f"{node.module}.{alias.name}"


@pytest.mark.parametrize("package", ["node.physics", "node.core", "node.transfer"])
def test_the_pure_packages_load_nothing_of_the_shell(package: str) -> None:
    names = [name for name in FILES if name == package or name.startswith(f"{package}.")]
    assert len(names) > 2
    before = loaded_by("sys")
    loaded = loaded_by(*names)
    assert set(names) <= loaded
    found = {
        name
        for name in loaded - before
        for forbidden in SHELL_ONLY
        if name == forbidden or name.startswith(f"{forbidden}.")
    }
    assert found == set()


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("node.physics", {"node.physics", "node.errors", "sgp4"}),
        (
            "node.core",
            {"node.core", "node.physics", "node.transfer", "node.icd", "node.errors", "msgspec"},
        ),
        ("node.transfer", {"node.transfer", "node.icd", "node.errors", "msgspec"}),
        ("node.icd", {"node.errors", "msgspec"}),
        ("node.errors", set()),
    ],
)
def test_the_pure_packages_import_downwards(package: str, allowed: set[str]) -> None:
    pure_library = {
        "__future__",
        "bisect",
        "collections",
        "dataclasses",
        "enum",
        "functools",
        "itertools",
        "math",
        "operator",
        "re",
        "typing",
    }
    for name, path in FILES.items():
        if name != package and not name.startswith(f"{package}."):
            continue
        for imported in imports(path):
            within = any(imported == each or imported.startswith(f"{each}.") for each in allowed)
            assert within or imported.split(".")[0] in pure_library, (name, imported)


def test_the_node_knows_nothing_of_the_ground() -> None:
    for name, path in FILES.items():
        if name.split(".")[0] == "node":
            for imported in imports(path):
                assert imported.split(".")[0] != "groundlink", name


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {
        name: {each for each in imports(path, at_the_top=True) if each in FILES}
        for name, path in FILES.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for imported in sorted(graph[name]):
                visit(imported, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())
    assert done == set(FILES)


@pytest.mark.parametrize("package", ["node", "groundlink"])
def test_help_comes_without_the_heavy_libraries(package: str) -> None:
    loaded = loaded_by("-m", package, "--help")
    heavy = {"aiomqtt", "asyncio", "numpy", "onnxruntime", "paho", "prometheus_client", "sgp4"}
    assert loaded & heavy == set()
    assert "argparse" in loaded
