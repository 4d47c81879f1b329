"""The command `jwst-badpix history`: list the entries of a history, remove entries, or let a run add them again."""

import argparse
import sys
from pathlib import Path


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the arguments of the command."""
    history = commands.add_parser("history", help="list the masks in the history of a detector, or remove some of them")
    history.add_argument("detector", help="detector, such as NIS, or with a variant NIS/variants/NAME")
    history.add_argument("--results", default="results", help="results of the run (results)")
    history.add_argument("--directory", help="the key history_directory, where it is configured")
    change = history.add_mutually_exclusive_group()
    name = "key of an entry, the beginning of a key, or an epoch"
    change.add_argument("--remove", nargs="+", metavar="ENTRY", help=f"remove entries; {name}")
    change.add_argument("--restore", nargs="+", metavar="ENTRY", help=f"let the next run add removed entries; {name}")
    history.add_argument("-n", "--dry-run", action="store_true", help="change nothing")


def folder_of(given: argparse.Namespace) -> Path:
    """The folder of the history. FileNotFoundError, with the histories that there are, if there is none."""
    root, pattern = (Path(given.directory), "") if given.directory else (Path(given.results), "history")
    folder = root / given.detector / pattern
    if not (folder / "epochs.parquet").is_file():
        places = [path.parent if pattern == "" else path.parent.parent for path in root.rglob("epochs.parquet")]
        known = sorted(str(place.relative_to(root)) for place in places)
        raise FileNotFoundError(f"no history of {given.detector} in {folder}; there are: {', '.join(known) or 'none'}")
    return folder


def run(given: argparse.Namespace) -> int:
    """Carry out the command; returns the exit status."""
    # Imported here because the other commands need no pandas.
    from badpix.history.files import HistoryError
    from badpix.history.remove import remove_entries, restore_entries
    from badpix.history.text import listing

    try:
        folder = folder_of(given)
        would = "would be " if given.dry_run else ""
        if given.remove:
            for entry in remove_entries(folder, given.remove, given.dry_run).itertuples():
                print(f"{would}removed: {entry.entry} {entry.epoch}".rstrip())
            print("The next run of snakemake makes the figure, and all that used these entries, again.")
        elif given.restore:
            for entry in restore_entries(folder, given.restore, given.dry_run).itertuples():
                print(f"{would}restored: {entry.entry} {entry.epoch}".rstrip())
            print("The next run of snakemake adds these entries, if it has their masks.")
        print("\n".join(listing(folder)))
    except (HistoryError, OSError) as error:
        print(f"jwst-badpix history: {error}", file=sys.stderr)
        return 1
    return 0
