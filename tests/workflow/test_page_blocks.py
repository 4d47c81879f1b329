"""What fails a page: a command, an output, a block that is not run, and a superfluous exception or substitution."""

import os

import pytest

from workflow.pages import Substitution, missing_lines, run_page, substituted, without_exceptions

PAGE = """# Title

1. A step:

   ```bash
   export PLACE=here
   sleep 600 &
   ```

```yaml
# folder/my.yaml
key: [1]
```

```bash
echo "$PLACE  on 2026-01-02 with 0123456789abcdef"
cat folder/my.yaml
```

```text
here on 1999-12-31 with fedcba9876543210
...
key: ...
```

```python
print(1 + 1)
```

```text
2
```
"""


@pytest.fixture
def page(tmp_path):
    (tmp_path / "clone" / "folder").mkdir(parents=True)
    return tmp_path / "page.md"


def run(page, text, exceptions=(), substitutions=()):
    """The lines that the outputs lack."""
    page.write_text(text, encoding="utf-8")
    blocks = substituted(without_exceptions(page, dict(exceptions)), list(substitutions))
    outputs = run_page("page.md", blocks, page.parent / "clone", page.parent / "out", os.environ)
    return missing_lines(blocks, outputs)


def test_the_blocks_run_in_one_shell_and_have_their_outputs(page):
    assert run(page, PAGE) == []
    assert (page.parent / "clone" / "folder" / "my.yaml").read_text() == "# folder/my.yaml\nkey: [1]\n"


def test_another_output_is_told_by_its_line(page):
    text = PAGE.replace("key: ...", "keys: ...").replace("\n2\n", "\n3\n")
    assert run(page, text) == ["20: keys: ...", "30: 3"]


@pytest.mark.parametrize(("old", "new"), [("print(1 + 1)", "print(1 / 0)"), ("cat folder/my", "cat folder/your")])
def test_a_command_that_fails_fails_the_page_with_its_output(page, old, new):
    line = 26 if "print" in old else 15
    with pytest.raises(AssertionError, match=rf"page.md:{line}: exit status 1 of\n[\s\S]*(No such file|ZeroDivision)"):
        run(page, PAGE.replace(old, new))


@pytest.mark.parametrize("language", ["", "console"])
def test_a_block_that_is_not_run_needs_a_reason(page, language):
    text = PAGE + f"\n```{language}\nsudo rm\n```\n"
    with pytest.raises(ValueError, match=f"page.md:34: language '{language}' is neither run nor an exception"):
        run(page, text)
    assert run(page, text, {"sudo rm": "not here"}) == []
    with pytest.raises(ValueError, match="no block with the first line"):
        run(page, PAGE, {"sudo rm": "not here"})


def test_a_substitution_must_be_needed(page):
    assert run(page, PAGE, (), [Substitution("PLACE=here", "PLACE=there", "r")]) == [
        "20: here on # with #"
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"no block has 'nowhere' \(no network\)"):
        run(page, PAGE, (), [Substitution("nowhere", "x", "no network")])


def test_blocks_without_file_name_or_end(page):
    with pytest.raises(ValueError, match="page.md:10: the first line of a yaml block"):
        run(page, PAGE.replace("# folder/my.yaml\n", ""))
    with pytest.raises(ValueError, match="page.md:30: the block has no end"):
        run(page, PAGE.removesuffix("```\n"))
