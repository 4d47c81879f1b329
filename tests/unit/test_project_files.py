"""The files for contributors agree with the project: version, paths, layers, commands."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import snakemake.report
import yaml

from badpix import __version__

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_citation_has_the_version_of_the_library():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == __version__
    assert PYPROJECT["tool"]["hatch"]["version"] == {"path": "scripts/badpix/__init__.py"}


def test_the_package_has_the_requirements_of_the_workflow():
    lines = (ROOT / "envs" / "requirements.in").read_text(encoding="utf-8").splitlines()
    assert PYPROJECT["project"]["dependencies"] == [line for line in lines if line and not line.startswith("#")]


def paths_in(text):
    """Paths in backticks or links, without placeholders, globs and files of a run."""
    names = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`|\]\(([^)#]+)\)", text)
    found = {first or second for first, second in names}
    return sorted(name for name in found if "/" in name or name.endswith(".md"))


@pytest.mark.parametrize("text", [ARCHITECTURE, CONTRIBUTING], ids=["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_the_named_files_exist(text):
    # Folders of the library, the rules or the tests are also named from there.
    starts = [ROOT, ROOT / "scripts" / "badpix" / "vote", ROOT / "rules", ROOT / "tests"]
    missing = [name for name in paths_in(text) if not any((start / name).exists() for start in starts)]
    assert paths_in(text) and missing == []


def test_the_layers_are_those_that_are_checked():
    (layers,) = (c["layers"] for c in PYPROJECT["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    table = ARCHITECTURE.split("| layer | content |")[1].split("\n\n")[0]
    rows = [re.findall(r"`(\w+)`", row.split("|")[1]) for row in table.splitlines()[2:]]
    assert rows == [layer.split(" | ") for layer in layers]


def test_the_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, re.M))
    assert set(re.findall(r"`make (?:\w+=\S+ )?(\w+)", ARCHITECTURE + CONTRIBUTING)) <= targets


def test_the_hooks_are_commands_of_make_lint():
    """A tool of the hooks that `make lint` does not run could refuse a commit that the checks accept."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    for hook in hooks:
        assert f"$(BIN)/{hook['entry'].removeprefix('.venv/bin/')}" in makefile


def packages_of_report():
    """The names of the packages that Snakemake's own report imports."""
    for path in Path(snakemake.report.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            yield from (name.split(".")[0] for name in names)


def test_the_packages_of_snakemakes_report_are_requirements_of_the_workflow():
    pinned = {re.split("==", line)[0] for line in (ROOT / "envs" / "requirements.txt").read_text().splitlines()}
    distributions = packages_distributions()
    needed = {name for name in packages_of_report() if name not in sys.stdlib_module_names}
    assert {"pygments", "jinja2"} <= needed
    missing = [name for name in needed if not {d.lower().replace("_", "-") for d in distributions[name]} & pinned]
    assert missing == []


def documented_commands():
    """The commands of Snakemake in the documents, one line each: in code blocks and in backticks."""
    pages = [*ROOT.glob("*.md"), *(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)]
    for page in pages:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        yield from (
            (page.name, words.split()) for words in re.findall(r"(?:^|`|\$ ) *(snakemake [^`\n#]*)", text, re.M)
        )


def lost_targets(words):
    """The words of a command that Snakemake takes for a configuration file, or for a key, and that are neither."""
    option, found = "", []
    for word in words:
        if word == "--":
            break
        option = word if word.startswith("-") else option
        is_file, is_key = word.endswith((".yaml", ".yml", "...")), "=" in word
        if word != option and ((option == "--configfile" and not is_file) or (option == "--config" and not is_key)):
            found.append(word)
    return found


def test_no_documented_target_follows_the_configuration():
    """Snakemake takes it for a further configuration file and ends with a traceback."""
    commands = list(documented_commands())
    assert sum("--configfile" in words for _, words in commands) > 20
    assert [(page, words) for page, words in commands if lost_targets(words)] == []
    assert lost_targets(["--configfile", "a.yaml", "sweep"]) == ["sweep"]
    assert lost_targets(["--config", "a=1", "sweep", "--configfile", "a.yaml", "--", "x"]) == ["sweep"]
