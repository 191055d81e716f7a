"""What the source says of itself, read without importing it: modules, what they import, what they define."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

PACKAGES = ("emobed_tf", "tuning", "serving")


@dataclass(frozen=True)
class Import:
    """One import statement's target.

    Attributes:
        target: a module of this project, or the dotted name of another's.
        line: where it stands.
        deferred: whether it is within a function, or for the type checker alone.
    """

    target: str
    line: int
    deferred: bool


@cache
def modules() -> dict[str, Path]:
    """Every module of the three packages: file by dotted name; a package stands under its own name."""
    return {_dotted(file): file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))}


@cache
def tree(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


@cache
def imports(module: str) -> tuple[Import, ...]:
    """All imports of a module, wherever they stand."""
    return tuple(_imports(tree(modules()[module]), deferred=False))


def loaded_by(start: Iterable[str]) -> set[str]:
    """What is in memory once some modules are imported: they, and what their imports outside of functions bring.

    Modules of this project, packages around them included, and dotted names of others.
    """
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name not in modules():
            continue
        waiting += [name.rpartition(".")[0]] if "." in name else []
        waiting += [one.target for one in imports(name) if not one.deferred]
    return found


@cache
def commands() -> tuple[str, ...]:
    """Modules that `python -m` runs: those with a name for their errors."""
    return tuple(module for module, file in modules().items() if any(map(_names_a_command, tree(file).body)))


def _names_a_command(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PROG"


def _dotted(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(node: ast.AST, deferred: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, deferred) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports name their module in full"
            for alias in child.names:
                whole = f"{child.module}.{alias.name}"
                yield Import(whole if whole in modules() else str(child.module), child.lineno, deferred)
        else:
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, deferred or function or _is_for_the_type_checker(child))


def _is_for_the_type_checker(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
