"""Keys that a YAML file has twice: a YAML reader keeps the last value and drops the first without a word."""

from collections.abc import Iterable
from pathlib import Path


def duplicate_keys(paths: Iterable[str | Path]) -> list[str]:
    """A problem for each key that a mapping of the files `paths` has twice, at any depth.

    A file that is no YAML has none here: its reader refuses it.
    """
    # Imported here because jobs do not check the files again.
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    problems: list[str] = []
    for path in paths:
        try:
            with Path(path).open(encoding="utf-8") as file:
                root = yaml.compose(file, Loader=loader)
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            continue
        problems += [f"{path}, line {line}: {problem}" for line, problem in sorted(_problems(root, ""))]
    return problems


def _problems(node: object, parent: str) -> Iterable[tuple[int, str]]:
    """(line, problem) of each key of the YAML `node` and of the nodes below; `parent` is the path of keys to it."""
    children = getattr(node, "value", None)
    if not isinstance(children, list):
        return
    first: dict[str, int] = {}
    for child in children:
        if not isinstance(child, tuple):  # an entry of a list
            yield from _problems(child, parent)
            continue
        key, value = child
        name, line = f"{parent}{key.value}", key.start_mark.line + 1
        if name in first and key.value != "<<":
            yield line, f"the key {name} is there already, in line {first[name]}; remove one of the two"
        first.setdefault(name, line)
        yield from _problems(value, f"{name}.")
