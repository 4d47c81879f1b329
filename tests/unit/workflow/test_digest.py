"""The digest of the library modules that a script uses, on a small package made for it."""

import ast
from pathlib import Path

import pytest

from badpix.workflow import digest
from badpix.workflow.digest import library_digest, modules_used

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


@pytest.fixture
def script(tmp_path):
    """run.py uses badpix.one, which uses badpix.sub.two within a function; badpix.other is not used."""
    files = {
        "run.py": "import numpy\nfrom badpix.one import thing\n",
        "badpix/__init__.py": "",
        "badpix/one.py": "def thing():\n    from badpix.sub import two\n    return two\n",
        "badpix/sub/__init__.py": "",
        "badpix/sub/two.py": "import badpix.one\n",
        "badpix/other.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "run.py"


def fresh(script):
    for cached in (digest.imported, digest.package_modules, digest.entry_of):
        cached.cache_clear()
    return library_digest(script)


def test_modules_used_directly_and_indirectly(script):
    used = [str(path.relative_to(script.parent)) for path in modules_used(script)]
    assert used == ["badpix/__init__.py", "badpix/one.py", "badpix/sub/__init__.py", "badpix/sub/two.py"]


@pytest.mark.parametrize("name", ["run.py", "badpix/__init__.py", "badpix/one.py", "badpix/sub/two.py"])
def test_an_edit_of_the_script_or_of_a_used_module_changes_the_digest(script, name):
    before = fresh(script)
    assert fresh(script) == before and len(before) == 16
    with (script.parent / name).open("a") as file:
        file.write("\n# edited\n")
    assert fresh(script) != before


def test_an_edit_of_an_unused_file_does_not(script):
    before = fresh(script)
    (script.parent / "badpix" / "other.py").write_text("x = 1\n")
    (script.parent / "another.py").write_text("import badpix.one\n")
    assert fresh(script) == before


def test_the_path_of_the_scripts_does_not_matter(script):
    before = fresh(script)
    moved = script.parent.rename(script.parent.with_name("moved"))
    assert fresh(moved / script.name) == before


def test_a_relative_import_is_refused(script):
    (script.parent / "badpix" / "one.py").write_text("\nfrom .sub import two\n")
    with pytest.raises(ValueError, match=r"one\.py:2: relative imports are not followed"):
        fresh(script)


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.name)
def test_every_script_has_a_digest(path):
    used = {file.relative_to(SCRIPTS).as_posix() for file in modules_used(path)}
    assert "badpix/__init__.py" in used or not used
    if path.name == "bad_pixel_mask.py":
        wanted = {"badpix/vote/tally.py", "badpix/vote/dark_official.py", "badpix/formats/mask_file.py"}
        assert wanted <= used, "indirect imports too"
        assert "badpix/detector1/pipeline.py" not in used, "a change of detector1 must not re-run the vote"


def test_templates_beside_a_module_belong_to_it(script):
    before = fresh(script)
    folder = script.parent / "badpix" / "sub" / "templates"
    folder.mkdir()
    (folder / "page.html").write_text("<p>")
    with_page = fresh(script)
    assert with_page != before
    (folder / "page.html").write_text("<div>")
    assert fresh(script) not in (before, with_page)


@pytest.mark.parametrize(
    "text",
    [
        "if True: from badpix.other import x\n",
        "import os; import badpix.other\n",
        "import os, \\\n    badpix.other\n",
        "from badpix import (  # (a remark)\n    other,\n)\n",
        "def f():\n\tfrom badpix import other as o  # a remark\n",
        '"""Text\nfrom a sentence.\n"""\nimport badpix.other\n',
        "import badpix.other\r\n",
    ],
)
def test_imports_are_found_wherever_they_stand(script, text):
    (script.parent / "badpix" / "one.py").write_text(text)
    before = fresh(script)
    (script.parent / "badpix" / "other.py").write_text("x = 1\n")
    assert fresh(script) != before


@pytest.mark.parametrize("text", ["# import badpix.other\n", "x = 'from badpix import other'\n", "important = 1\n"])
def test_other_text_is_no_import(script, text):
    (script.parent / "badpix" / "one.py").write_text(text)
    before = fresh(script)
    (script.parent / "badpix" / "other.py").write_text("x = 1\n")
    assert fresh(script) == before


def test_no_statement_of_the_library_is_missed():
    def names(nodes):
        return {(getattr(node, "module", None), alias.name) for node in nodes for alias in node.names}

    for path in SCRIPTS.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
        missed = names(nodes) - names(node for _, node in digest.import_statements(text))
        assert not missed, path
