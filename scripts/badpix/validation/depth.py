"""Groups and exposures that each type needs: completeness of the preset for several depths and numbers of exposures."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from badpix.core.files import write_text
from badpix.score.pixels import Score
from badpix.score.tables import Accepted
from badpix.validation.plan import FLIGHT, Scenario, part_label
from badpix.validation.targets import LEAST_SHARE, shares_by_type

BEGIN, END = "<!-- exposures needed, made by make validation -->", "<!-- end of exposures needed -->"


def depth_table(scenario: Scenario, scores: Mapping[str, Score], accepted: Accepted) -> pd.DataFrame:
    """A row per number of exposures and planted type: depth, number, type, planted, found, share.

    The limits are those of 8 darks of 30 groups, so that all depths have the same pixels. Only pixels that are in no
    cluster count: bad neighbours are no matter of depth. Empty without part numbers.
    """
    rows = []
    for number in (*scenario.numbers, scenario.exposures) if scenario.numbers else ():
        score = scores[FLIGHT if number == scenario.exposures else part_label(number)]
        shares = shares_by_type(score, accepted, scenario.usual_limits, alone=True)
        rows.append(shares.reset_index().assign(depth=depth_name(scenario), number=number))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


def depth_name(scenario: Scenario) -> str:
    """Groups and frames of a scenario, such as "10 groups of 4 frames"."""
    frames = scenario.geometry.frames[0]
    return f"{scenario.groups} groups" + (f" of {frames} frames" if frames > 1 else "")


def completeness_by_depth(table: pd.DataFrame) -> pd.DataFrame:
    """A row per type and a column per depth and number; the cells have the completeness."""
    rows = []
    for name, of_type in table.groupby("type", sort=False):
        row = {"planted": f"{name} ({of_type['planted'].iloc[0]})"}
        for one in of_type.itertuples():
            row[f"{one.depth}: {one.number} + {one.number}"] = f"{one.share:.3f}"
        rows.append(row)
    return pd.DataFrame(rows)


def needed_rows(table: pd.DataFrame) -> pd.DataFrame:
    """A row per type and a column per depth: the smallest number of exposures with LEAST_SHARE from there on.

    "> 10 (0.913)": not reached with 10, whose completeness is in brackets.
    """
    rows = []
    for name, of_type in table.groupby("type", sort=False):
        row = {"type": name}
        for depth, at_depth in of_type.groupby("depth", sort=False):
            row[depth] = needed(at_depth.sort_values("number"))
        rows.append(row)
    return pd.DataFrame(rows)


def needed(at_depth: pd.DataFrame) -> str:
    """The smallest number from which on all larger numbers suffice, from rows in order of `number`."""
    enough = (at_depth["share"] >= LEAST_SHARE)[::-1].cumprod()[::-1].astype(bool)
    if enough.any():
        return str(at_depth.loc[enough, "number"].iloc[0])
    last = at_depth.iloc[-1]
    return f"> {last['number']} ({last['share']:.3f})"


def replace_block(path: Path, text: str) -> None:
    """Put `text` between the lines BEGIN and END of a Markdown file; ValueError without them."""
    page = path.read_text(encoding="utf-8")
    before, found, rest = page.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not (found and found_end):
        raise ValueError(f"{path}: no lines {BEGIN} and {END} for the table of exposures needed")
    write_text(path, f"{before}{BEGIN}\n{text}\n{END}{after}")


def pooled_depths(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The tables of all scenarios together, types in the order of the first; empty without such scenarios."""
    some = [table for table in tables if len(table)]
    return pd.concat(some, ignore_index=True) if some else pd.DataFrame()
