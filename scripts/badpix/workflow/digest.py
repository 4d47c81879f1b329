"""A digest of the library code that a script uses, so that cached products know when that code has changed.

Snakemake notices an edit of a rule's own script but not of the modules it imports.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = "badpix"


def _statements(node):
    """All statements below an AST node. Expressions, most of a file's nodes, import nothing."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for statement in getattr(node, field, ()):
            yield statement
            yield from _statements(statement)


@cache
def _imported(path, root):
    """Files below `root` that the Python file `path` imports by itself (the package's own modules only)."""
    names = set()
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}:{node.lineno}: relative imports are not followed; write 'from badpix...'")
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    files = set()
    for name in names:
        parts = name.split(".")
        if parts[0] != PACKAGE:
            continue
        for depth in range(1, len(parts) + 1):
            base = root.joinpath(*parts[:depth])
            files.update(file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file())
    return frozenset(files)


def modules_used(script):
    """All files of the package that `script` (a path in scripts/) imports, directly or not, sorted.

    Found by reading the import statements, wherever in a file they stand; nothing is imported.
    """
    script = Path(script).resolve()
    seen, todo = set(), [script]
    while todo:
        for file in _imported(todo.pop(), script.parent):
            if file not in seen:
                seen.add(file)
                todo.append(file)
    return sorted(seen)


def templates_used(modules):
    """The files in folders `templates` beside any of the `modules` (paths), sorted: what these fill in and write."""
    folders = {module.parent / "templates" for module in modules}
    return sorted(file for folder in folders for file in folder.glob("*") if file.is_file())


def library_digest(script):
    """Hexadecimal digest (16 digits) of the contents of `modules_used(script)` and of the templates beside them."""
    digest = hashlib.sha256()
    root = Path(script).resolve().parent
    modules = modules_used(script)
    for file in (*modules, *templates_used(modules)):
        digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
