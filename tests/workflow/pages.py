"""Read the fenced blocks of a page of the documentation, and run them in their order as its reader does.

A block is used by its language:

* bash: commands, in a single shell for the whole page, so that `export` and `source` last. The first command that fails
  fails the page.
* yaml, with the name of the file in the first line as a comment: the file is written.
* python: run with the Python of the shell.
* text: output of the last commands, which must have all its lines. Dates and checksums may differ; `...` stands for any
  lines, and at the end of a line for its rest.
* any other, and none: only with a reason among the exceptions of the test.
"""

import contextlib
import os
import re
import signal
import subprocess
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^( *)(```+)(.*)$")
_FILE = re.compile(r"# ([\w./-]+\.ya?ml)\b")
_VARIABLE = re.compile(r"\d{4}-\d\d-\d\d|[0-9a-f]{16}")  # dates and checksums
TIMEOUT = 1800  # s


@dataclass(frozen=True)
class Block:
    """A fenced block: the line number of its fence, its language (empty without), and its text without indentation."""

    line: int
    language: str
    text: str

    @property
    def first_line(self) -> str:
        return self.text.splitlines()[0].strip() if self.text.strip() else ""


@dataclass(frozen=True)
class Substitution:
    """Text of a page, in bash and yaml, that a test must replace: `reason` says why it cannot stay."""

    old: str
    new: str
    reason: str


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a Markdown page, in their order. ValueError for a block without end."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        opened = _FENCE.match(lines[number])
        number += 1
        if not opened:
            continue
        start, body = number, []
        while number < len(lines) and not re.match(rf"^ *{opened[2]}`* *$", lines[number]):
            body.append(lines[number])
            number += 1
        if number == len(lines):
            raise ValueError(f"{page.name}:{start}: the block has no end")
        number += 1
        found.append(Block(start, opened[3].strip(), textwrap.dedent("\n".join(body))))
    return found


def without_exceptions(page: Path, exceptions: Mapping[str, str]) -> list[Block]:
    """The blocks of `page` to run. `exceptions`: first line of a block that is not run -> reason.

    ValueError for a block that is neither run nor an exception, and for an exception that the page does not have.
    """
    blocks = blocks_of(page)
    if unknown := set(exceptions) - {block.first_line for block in blocks}:
        raise ValueError(f"{page.name} has no block with the first line {sorted(unknown)}")
    blocks = [block for block in blocks if block.first_line not in exceptions]
    for block in blocks:
        if block.language not in ("bash", "yaml", "python", "text"):
            raise ValueError(f"{page.name}:{block.line}: language {block.language!r} is neither run nor an exception")
        if block.language == "yaml" and not _FILE.match(block.first_line):
            raise ValueError(f"{page.name}:{block.line}: the first line of a yaml block is the name of its file")
    return blocks


def substituted(blocks: list[Block], substitutions: list[Substitution]) -> list[Block]:
    """The blocks with the substitutions; ValueError for a substitution that no block needs."""
    for each in substitutions:
        if not any(each.old in block.text for block in blocks if block.language in ("bash", "yaml")):
            raise ValueError(f"no block has {each.old!r} ({each.reason})")
    result = []
    for block in blocks:
        text = block.text
        for each in substitutions:
            text = text.replace(each.old, each.new)
        result.append(Block(block.line, block.language, text))
    return result


def script_of(blocks: list[Block], out: Path) -> str:
    """The bash script of the blocks; the output of a block is in `out`/<line>."""
    parts = ["set -e"]
    for block in blocks:
        if block.language == "text":
            continue
        parts.append(f"exec >'{out}/{block.line}' 2>&1")
        if block.language == "bash":
            parts.append(block.text)
        else:
            found = _FILE.match(block.first_line)
            target = f"cat >'{found[1]}'" if found else "python -"
            parts.append(f"{target} <<'END OF BLOCK'\n{block.text}\nEND OF BLOCK")
    return "\n".join(parts) + "\n"


def run_page(name: str, blocks: list[Block], folder: Path, out: Path, environment: Mapping[str, str]) -> dict[int, str]:
    """Run the blocks of the page `name` in `folder`: line of block -> output. AssertionError names the failed block."""
    out.mkdir()
    script = out / "page.sh"
    script.write_text(script_of(blocks, out), encoding="utf-8")
    process = subprocess.Popen(
        ["bash", str(script)], cwd=folder, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        status = process.wait(timeout=TIMEOUT)
    finally:
        # Servers that the page started, too.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()
    outputs = {int(path.name): path.read_text(encoding="utf-8") for path in out.iterdir() if path.name.isdigit()}
    last = max(outputs, default=0)
    text = {block.line: block.text for block in blocks}.get(last)
    assert status == 0, f"{name}:{last}: exit status {status} of\n{text}\n{outputs.get(last, '')[-6000:]}"
    return outputs


def missing_lines(blocks: list[Block], outputs: Mapping[int, str]) -> list[str]:
    """The lines of text blocks that are not in the output of the blocks since the text block before."""
    missing: list[str] = []
    before: list[str] = []
    for block in blocks:
        if block.language != "text":
            before.append(outputs[block.line])
            continue
        output = [_plain(line) for text in before for line in text.splitlines()]
        for line in filter(None, map(_plain, block.text.splitlines())):
            start = line.removesuffix("...")
            if not any(found == line or (start != line and found.startswith(start)) for found in output):
                missing.append(f"{block.line}: {line}")
        before = []
    return missing


def _plain(line: str) -> str:
    """A line with a single blank between its words, and without dates and checksums."""
    return _VARIABLE.sub("#", " ".join(line.split()))
