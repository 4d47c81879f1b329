"""The command `jwst-badpix`: it starts Snakemake with the Snakefile of this project, or shows what a run has made.

`jwst-badpix run CONFIG ...` is `snakemake --snakefile .../Snakefile --configfile CONFIG ...`, with the same messages
and the same exit status.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from badpix import __version__
from jwst_badpix import history_command
from jwst_badpix.place import workflow_folder
from jwst_badpix.run import snakemake_words

SUFFIXES = (".yaml", ".yml", ".json")
CONFIG_HELP = "configuration file; of several, later files override earlier ones"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="jwst-badpix", description="Bad pixel masks for JWST detectors.")
    top.add_argument("--version", action="version", version=f"jwst-badpix {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="make the masks of a configuration", allow_abbrev=False)
    run.add_argument("--cores", help="number of cores, or all")
    run.add_argument("config", help=CONFIG_HELP)
    run.add_argument(
        "snakemake", nargs=argparse.REMAINDER, metavar="...",
        help="targets, such as injection_recovery, then arguments of snakemake, such as --cores 8, -n (list the jobs)",
    )  # fmt: skip

    fetch = commands.add_parser("fetch", help="bring new exposures from MAST (key mast)", allow_abbrev=False)
    fetch.add_argument("--list", action="store_true", help="only list them")
    fetch.add_argument("config", help=CONFIG_HELP)
    fetch.add_argument("snakemake", nargs=argparse.REMAINDER, metavar="...", help="arguments of snakemake")

    demo = commands.add_parser("demo", help="simulate a detector, make its mask, and score it against the truth")
    demo.add_argument("directory", nargs="?", default="demo", help="folder to write (demo)")
    for name, value, text in (("cores", 2, "number of cores"), ("size", 256, "pixels of a side"), ("seed", 1, "seed")):
        demo.add_argument(f"--{name}", type=int, default=value, help=f"{text} ({value})")

    compare = commands.add_parser("compare", help="new, recovered and reclassified pixels between two masks")
    compare.add_argument("old", help="mask file, before")
    compare.add_argument("new", help="mask file, after")
    compare.add_argument("--out", help="folder for the tables and the figure; without it, only the numbers are shown")
    compare.add_argument("--lists", action="store_true", help="a file without DQ is a list of bad pixels")

    explain = commands.add_parser("explain", help="why a pixel is flagged: types, votes, limits, known pixels, history")
    explain.add_argument("x", type=int, help="column in the array of the mask, 0-based")
    explain.add_argument("y", type=int, help="row in the array of the mask, 0-based")
    explain.add_argument("--results", default="results", help="results of the run, or the folder of a mask (results)")
    explain.add_argument("--mask", help="mask file, if the folder has several")

    history_command.add_parser(commands)

    commands.add_parser("path", help="the folder of the workflow, for its profiles and for modules")
    return top


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line `arguments`; targets of Snakemake after -- stay as they are, which argparse does not ensure."""
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    given = parser().parse_args(words[:end])
    if words[end:] and given.command != "run":
        parser().error(f"-- is not allowed with {given.command}")
    return argparse.Namespace(**vars(given), targets=words[end:])


def config_words(given: argparse.Namespace) -> tuple[list[str], list[str]]:
    """The arguments of snakemake for `run` and `fetch`: configuration files with the user's own, and targets.

    A word before the first option without the suffix of a configuration file is a target: Snakemake itself would take
    it for a configuration file. ValueError for a file that is not there, and for --configfile, of which Snakemake would
    use the last alone.
    """
    rest = list(given.snakemake)
    n_words = next((n for n, word in enumerate(rest) if word.startswith("-")), len(rest))
    words, rest = [given.config, *rest[:n_words]], rest[n_words:]
    files = [word for word in words if Path(word).suffix in SUFFIXES or word == given.config]
    for file in files:
        if not Path(file).is_file():
            raise ValueError(f"no such configuration file: {file!r}")
    if again := [word for word in rest if word.split("=")[0] in ("--configfile", "--configfiles")]:
        raise ValueError(f"{again[0]} is not allowed; give all configuration files before the other arguments")
    return ["--configfile", *files, *rest], [word for word in words if word not in files]


def words_of(given: argparse.Namespace) -> list[str]:
    """The program that a command starts, with its arguments; empty if it starts none. ValueError as `config_words`."""
    if given.command == "run":
        cores = ["--cores", given.cores] if given.cores else []
        words, targets = config_words(given)
        targets += given.targets[1:]
        return snakemake_words(*cores, *words, *(["--", *targets] if targets else []))
    if given.command == "fetch":
        words, targets = config_words(given)
        if targets:
            raise ValueError(f"no such configuration file: {targets[0]!r}")
        return snakemake_words("--cores", "1", *words, "--", "fetch_list" if given.list else "fetch")
    if given.command == "demo":
        script = workflow_folder() / "scripts" / "demo.sh"
        numbers = [str(number) for number in (given.size, given.seed, given.cores)]
        return ["bash", str(script), str(Path(sys.executable).parent), given.directory, *numbers, "jwst-badpix"]
    return []


def _compare(given: argparse.Namespace) -> int:
    """Run the comparison of two masks; without `--out`, its files are removed."""
    with tempfile.TemporaryDirectory(prefix="jwst-badpix-") as temporary:
        words = [sys.executable, str(workflow_folder() / "scripts" / "compare_masks.py"), given.old, given.new]
        words += ["--out", given.out or temporary, *(["--lists"] if given.lists else [])]
        return subprocess.run(words, check=False).returncode


def _explain(given: argparse.Namespace) -> int:
    # Imported here because the other commands need no astropy.
    from badpix.report.explain import NotExplained, explanation, find_mask

    try:
        print("\n".join(explanation(find_mask(given.results, given.mask), given.x, given.y)))
    except (NotExplained, OSError, ValueError, KeyError) as error:
        print(f"jwst-badpix explain: {error}", file=sys.stderr)
        return 1
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command with `arguments` (by default those of the process); returns the exit status.

    `run`, `fetch` and `demo` replace this process, so that signals reach Snakemake.
    """
    given = parsed(sys.argv[1:] if arguments is None else arguments)
    if given.command == "path":
        print(workflow_folder())
        return 0
    if given.command == "compare":
        return _compare(given)
    if given.command == "explain":
        return _explain(given)
    if given.command == "history":
        return history_command.run(given)
    try:
        words = words_of(given)
    except ValueError as error:
        print(f"jwst-badpix {given.command}: {error}", file=sys.stderr)
        return 2
    os.execvp(words[0], words)
