"""A digest of a script and of the library code that it uses, so that a change of the code re-runs the rule.

Snakemake does not detect a change of the modules that a script imports, and takes each script that is newer than its
products for changed: all scripts of a new installation or a new clone.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = "badpix"

# A line that begins with an import, to the end of its parentheses or of the lines that it is continued on.
_IMPORT = re.compile(r"^[ \t]*((?:from|import)[ \t.](?:[^\n(\\]|\\\n|\([^)]*\))*)", re.MULTILINE)
# An import that may follow something else in its line.
_WITHIN_A_LINE = re.compile(r"[:;][ \t]*(?:from|import)[ \t]")


def import_statements(text: str) -> Iterator[tuple[int, ast.Import | ast.ImportFrom]]:
    """The line number and the AST node of each import statement anywhere in the source `text`, also in a docstring.

    To parse the whole library would take 0.4 s at each start of Snakemake, so only the statements are parsed; the whole
    text where a line is no statement or may have an import after its beginning.
    """
    found: list[tuple[int, ast.AST]] = []
    try:
        if _WITHIN_A_LINE.search(text):
            raise SyntaxError
        for match in _IMPORT.finditer(text):
            found.append((text.count("\n", 0, match.start()) + 1, ast.parse(match[1]).body[0]))
    except SyntaxError:
        found = [(getattr(node, "lineno", 0), node) for node in ast.walk(ast.parse(text))]
    for line, node in found:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield line, node


@cache
def package_modules(root: Path) -> dict[str, Path]:
    """The modules and packages of the package below `root`: dotted name -> file."""
    files = (file.relative_to(root) for file in (root / PACKAGE).rglob("*.py"))
    return {".".join(file.with_suffix("").parts).removesuffix(".__init__"): root / file for file in files}


def _files_of(name: str, root: Path) -> Iterator[Path]:
    """The files below `root` of the packages and the module of a dotted name, whose last part may be none."""
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        if file := package_modules(root).get(".".join(parts[:depth])):
            yield file


@cache
def imported(path: Path, root: Path) -> frozenset[Path]:
    """The files of the package, below `root`, that the Python file `path` imports directly."""
    names: set[str] = set()
    for line, node in import_statements(path.read_text(encoding="utf-8")):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        else:
            if node.level or node.module is None:
                raise ValueError(f"{path}:{line}: relative imports are not followed; write 'from badpix...'")
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset().union(*(_files_of(name, root) for name in names if name.split(".")[0] == PACKAGE))


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


@cache
def entry_of(file: Path, root: Path) -> bytes:
    """Path below `root` and content of a file, as they enter a digest. Most scripts use the same modules."""
    return str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0"


def library_digest(script: str | Path) -> str:
    """Hexadecimal digest (16 digits) of the contents of `script`, `modules_used(script)` and their templates."""
    digest = hashlib.sha256()
    script = Path(script).resolve()
    root = script.parent
    modules = modules_used(script)
    for file in (script, *modules, *templates_used(modules)):
        digest.update(entry_of(file, root))
    return digest.hexdigest()[:16]
