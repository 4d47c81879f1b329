"""A digest of a script and of the library code that it uses, so that a change of the code re-runs the rule.

Snakemake does not detect a change of the modules that a script imports, and takes each script that is newer than its
products for changed: all scripts of a new installation or a new clone.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = "badpix"


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below an AST node, without expressions: these are most nodes of a file and import nothing."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for statement in getattr(node, field, ()):
            yield statement
            yield from _statements(statement)


@cache
def imported(path: Path, root: Path) -> frozenset[Path]:
    """The files of the package, below `root`, that the Python file `path` imports directly."""
    names: set[str] = set()
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise ValueError(f"{path}:{node.lineno}: relative imports are not followed; write 'from badpix...'")
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    files: set[Path] = set()
    for name in names:
        parts = name.split(".")
        if parts[0] != PACKAGE:
            continue
        for depth in range(1, len(parts) + 1):
            base = root.joinpath(*parts[:depth])
            files.update(file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file())
    return frozenset(files)


def modules_used(script: str | Path) -> list[Path]:
    """All files of the package that `script` (a path in scripts/) imports, directly or indirectly, sorted.

    Import statements anywhere in a file count; nothing is imported.
    """
    script = Path(script).resolve()
    seen: set[Path] = set()
    todo = [script]
    while todo:
        for file in imported(todo.pop(), script.parent):
            if file not in seen:
                seen.add(file)
                todo.append(file)
    return sorted(seen)


def templates_used(modules: Iterable[Path]) -> list[Path]:
    """The template files that the `modules` may use: all files in folders `templates` beside a module, sorted."""
    folders = {module.parent / "templates" for module in modules}
    return sorted(file for folder in folders for file in folder.glob("*") if file.is_file())


def library_digest(script: str | Path) -> str:
    """Hexadecimal digest (16 digits) of the contents of `script`, `modules_used(script)` and their templates."""
    digest = hashlib.sha256()
    script = Path(script).resolve()
    root = script.parent
    modules = modules_used(script)
    for file in (script, *modules, *templates_used(modules)):
        digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
