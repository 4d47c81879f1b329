"""The page of the validation with simulated detectors: Markdown from the tables of the score."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from badpix.score.tables import ALL, MAJORITY
from badpix.validation.plan import N_ABLATED, Scenario

PAIR = ("official", "flight")
Tables = Mapping[str, pd.DataFrame]  # the tables of the score by name
INTRODUCTION = """\
# Validation: completeness and false positives

Made by `make validation`. Detectors with known bad pixels are simulated (population `survey` of `scripts/simulate.py`:
strengths from undetectable to obvious, clusters, intermittent pixels, an unlit strip, cosmic rays and snowballs). The
exposures are processed with the unmodified calwebb_detector1 and the workflow, and the masks are compared with the
truth. *Official* is `config/config.yaml` (official defaults), *flight* adds `config/presets/flight.yaml`. Intervals
are 95% (Wilson). Completeness is the share of the planted pixels, at the stated limit of strength or stronger, that are
found in their own type. Purity is the share of the pixels found as a type that were planted for this type. Weaker
pixels, intermittent pixels that are bad in half or more of the exposures, and neighbours that receive charge of a bad
pixel count neither as right nor as false.
"""
ORIGINAL = """\
## For comparison: the rules of the original script

The rules of the `jwst_reffiles` script on another simulated detector (NIRCam, 256 x 256, 8 darks and 8 flats of 30
groups, evaluated with plain numpy, pedestals as in `fitopt`). Only the numbers are comparable: the exposures differ.

| planted | found as |
| --- | --- |
| dead, low_qe, open | DEAD 1.0 each; LOW_QE 1.0, OPEN 1.0, ADJ_OPEN 1.0 |
| hot, saturated | HOT 1.0 |
| hot, not saturated | HOT 0.0, RC 0.58, noisy 0.83 |
| rc | RC 1.0, high_cr 0.58 |
| telegraph, low_pedestal, noisy | 1.0 each in their own type |
| bad in 2 of 8 exposures | dead: DEAD 1.0; hot: noisy 1.0; telegraph, low pedestal: 0.0 |
| healthy, of 61,504 | noisy 1002 (16,292 per million), DEAD 165 (2,683 per million) |
"""
LIMITS = """\
## Known limits

* Telegraph noise of less than about 50 DN is below the threshold of the jump step. Telegraph noise that switches in
  fewer than half of the exposures is listed as intermittent and not flagged.
* Weak telegraph noise (most steps less than five times the read noise) that is bad in 3 of 8 exposures can get a fourth
  vote from a noise-induced downward jump. 1 in 1,000 healthy pixels has such a jump in an exposure. For strong
  telegraph noise only larger downward jumps count: 4 in 100,000.
* RC pixels with a long time constant and a small amplitude look like warm pixels: the curvature of the ramp is below
  the noise. With a short time constant only a pedestal is left after the first group.
* The neighbour of a saturated pixel collects its charge. It is flagged for its high slope or pedestal, although the
  pixel itself is healthy.
* Dead pixels with a response of more than 0.02 receive enough charge from their neighbours to be classified as LOW_QE.
* A pixel with noise above its value in the read noise reference has many jumps in the jump step: of pixels planted at
  4 and 8 times their noise, 66 of 67 were flagged with DO_NOT_USE, but 50 of them as telegraph pixels
  ([injection.md](injection.md)).
* For slopes and noise, a cosmic ray cannot be distinguished from a bad pixel in a single integration: the list of
  intermittent pixels contains some healthy pixels.
"""


def markdown(table: pd.DataFrame) -> str:
    """A DataFrame as a Markdown table; NaN is blank."""
    rows = [[str(name) for name in table.columns]]
    rows += [["" if pd.isna(value) else str(value) for value in row] for row in table.itertuples(index=False)]
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def interval(value: float, low: float, high: float, form: str = "{:.3f}") -> str:
    """A number and its interval as text; blank for NaN."""
    if pd.isna(value):
        return ""
    return f"{form.format(value)} [{form.format(low)}, {form.format(high)}]"


def completeness_rows(tables: Tables, runs: Sequence[str] = PAIR) -> pd.DataFrame:
    """Completeness at the limit or stronger, by planted type: a column per run."""
    table = tables["completeness"].dropna(subset="strong_completeness")
    rows = []
    for name, group in table.groupby("type", sort=False):
        row = {"planted": name, "limit": str(group["limit"].iloc[0]), "pixels": int(group["strong_planted"].iloc[0])}
        for run in runs:
            (of_run,) = group[group["run"] == run].itertuples()
            row[run] = interval(of_run.strong_completeness, of_run.strong_low, of_run.strong_high)
        rows.append(row)
    return pd.DataFrame(rows)


def purity_rows(tables: Tables, runs: Sequence[str] = PAIR) -> pd.DataFrame:
    """Purity by detection type: a column per run, and the false pixels with the preset."""
    rows = []
    for name, group in tables["purity"].groupby("detection", sort=False):
        row = {"found as": name}
        for run in runs:
            of_run = list(group[group["run"] == run].itertuples())
            row[run] = interval(of_run[0].purity, of_run[0].low, of_run[0].high) if of_run else ""
            row[f"false, {run}"] = of_run[0].false if of_run else ""
        rows.append(row)
    return pd.DataFrame(rows).drop(columns="false, official", errors="ignore")


def healthy_rows(tables: Tables, runs: Sequence[str] = PAIR) -> pd.DataFrame:
    """Healthy pixels flagged per million: a column per run."""
    rows = []
    for name, group in tables["healthy"].groupby("type", sort=False):
        row = {"healthy pixels flagged": name}
        for run in runs:
            of_run = list(group[group["run"] == run].itertuples())
            if of_run:
                first = of_run[0]
                row[run] = f"{first.healthy_flagged}: " + interval(first.per_million, first.low, first.high, "{:.1f}")
        rows.append(row)
    return pd.DataFrame(rows)


def structure_rows(tables: Tables, exposures: int) -> list[pd.DataFrame]:
    """Tables of clusters, border, unlit strip and intermittent pixels with the preset."""
    flight = {name: table[table["run"] == "flight"] for name, table in tables.items()}
    groups = flight["groups"][["group", "planted", "planted_flagged", "found", "ring", "ring_flagged"]]
    groups = groups.rename(
        columns={
            "planted_flagged": "flagged", "found": "in their own type", "ring": "healthy around it",
            "ring_flagged": "of these flagged",
        }
    )  # fmt: skip
    border = flight["border"].assign(
        rate=[
            interval(value, low, high, "{:.1f}")
            for value, low, high in flight["border"][["per_million", "low", "high"]].to_numpy()
        ]
    )
    border = border[["band", "healthy", "flagged", "rate"]].rename(columns={"rate": "per million"})
    intermittent = flight["intermittent"][flight["intermittent"]["type"] == ALL]
    intermittent = intermittent[["bad_in", "planted", "permanent", "intermittent"]]
    names = {"bad_in": f"bad in, of {exposures}", "permanent": "flagged", "intermittent": "listed as intermittent"}
    intermittent = intermittent.rename(columns=names)
    return [groups, border, flight["unlit"][["type", "unlit", "found", "insufficient"]], intermittent]


def ablation_rows(tables: Tables, exposures: int) -> pd.DataFrame:
    """A row per run: mean and lowest completeness and purity over the types, and false positives."""
    rows = []
    for run in tables["completeness"]["run"].unique():
        of_run = {name: table[table["run"] == run] for name, table in tables.items()}
        strong = of_run["completeness"].dropna(subset="strong_completeness")
        strong = strong[strong["strong_planted"] > 0].set_index("type")["strong_completeness"]
        purity = of_run["purity"].dropna(subset="purity").set_index("detection")["purity"]
        healthy = of_run["healthy"].set_index("type")["healthy_flagged"]
        few = of_run["intermittent"]
        few = few[(few["type"] == ALL) & (few["bad_in"] < MAJORITY * exposures)]
        worst = ", ".join(f"{name} {value:.3f}" for name, value in strong.nsmallest(3).items() if value < 0.98)
        impure = ", ".join(f"{name} {value:.3f}" for name, value in purity.nsmallest(3).items() if value < 0.98)
        rows.append(
            {
                "run": run,
                "mean completeness": f"{strong.mean():.3f}",
                "below 0.98": worst,
                "mean purity": f"{purity.mean():.3f}",
                "below 0.98 ": impure,
                "bad in a minority, flagged": f"{few['permanent'].sum()} of {few['planted'].sum()}",
                "healthy, any flag": healthy["any flag in the mask"],
                "healthy, DO_NOT_USE": healthy["DO_NOT_USE in the mask"],
            }
        )
    return pd.DataFrame(rows)


def threshold_rows(tables: Tables) -> pd.DataFrame:
    """Strengths where 50% and 90% are found, by planted type: columns per run."""
    rows = []
    for name, group in tables["thresholds"].groupby("type", sort=False):
        row = {"type": name, "unit": group["unit"].iloc[0]}
        for run in PAIR:
            of_run = list(group[group["run"] == run].itertuples())
            for level in (50, 90):
                value = getattr(of_run[0], f"strength_{level}") if of_run else None
                row[f"{run}, {level}%"] = "not reached" if pd.isna(value) else f"{value:.3g}"
        rows.append(row)
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Validation:
    """The score of the simulations of a scenario.

    `tables` are the tables of the score (name -> DataFrame), pooled over `seeds`; `curves` is the path of their figure.
    """

    scenario: Scenario
    seeds: Sequence[int]
    tables: Tables
    curves: Path


def scenario_text(validation: Validation, page: Path) -> str:
    """The section of a Validation; its figure is copied to the folder of the page."""
    tables, scenario = validation.tables, validation.scenario
    figure = page.parent / f"validation_{scenario.name}.png"
    shutil.copy2(validation.curves, figure)
    seeds = ", ".join(map(str, validation.seeds))
    parts = [f"## {scenario.title}", f"Seeds {seeds}; other seeds were used to choose the options."]
    parts += ["Completeness at the limit or stronger:", markdown(completeness_rows(tables))]
    parts += ["Purity, and false pixels with the preset:", markdown(purity_rows(tables))]
    parts += ["Healthy pixels (number, and per million):", markdown(healthy_rows(tables))]
    parts += ["Clusters, border, unlit strip, and intermittent pixels, with the preset:"]
    parts += [markdown(table) for table in structure_rows(tables, scenario.exposures)]
    parts += [f"![found share against strength]({figure.name})", markdown(threshold_rows(tables))]
    return "\n\n".join(parts)


def least(shares: pd.Series) -> str:
    """The smallest of `shares` (a Series by type) and its type, as text."""
    return f"{shares.idxmin()} {shares.min():.3f}" if len(shares) else ""


def summary_rows(validations: Sequence[Validation]) -> pd.DataFrame:
    """A row per scenario and run: lowest completeness and purity, and false positives."""
    rows = []
    for validation in validations:
        scenario = validation.scenario
        for run in PAIR:
            of_run = {kind: table[table["run"] == run] for kind, table in validation.tables.items()}
            strong = of_run["completeness"].dropna(subset="strong_completeness").set_index("type")
            strong = strong.loc[strong["strong_planted"] > 0, "strong_completeness"]
            purity = of_run["purity"].dropna(subset="purity").set_index("detection")["purity"]
            (healthy,) = of_run["healthy"].query("type == 'DO_NOT_USE in the mask'").itertuples()
            few = of_run["intermittent"].query("type == @ALL")
            few = few[few["bad_in"].between(1, MAJORITY * scenario.exposures, inclusive="left")]
            rows.append(
                {
                    "scenario": f"{scenario.title} (seeds: {len(validation.seeds)})",
                    "run": run,
                    "lowest completeness": least(strong),
                    "lowest purity": least(purity),
                    "healthy with DO_NOT_USE, per million": f"{healthy.healthy_flagged} of {healthy.healthy}: "
                    + interval(healthy.per_million, healthy.low, healthy.high, "{:.1f}"),
                    "bad in a minority, flagged": f"{few['permanent'].sum()} of {few['planted'].sum()}",
                    "flagged around clusters": f"{of_run['groups']['ring_flagged'].sum()}",
                }
            )
    return pd.DataFrame(rows)


def write_page(page: Path, validations: Sequence[Validation], without: Tables | None = None) -> None:
    """Write the page `page` (Path) with a section per Validation.

    `without` are the tables of the runs of the first scenario without single options; None: no such runs.
    """
    page.parent.mkdir(parents=True, exist_ok=True)
    parts = [INTRODUCTION, "## Summary", markdown(summary_rows(validations))]
    parts += [scenario_text(validation, page) for validation in validations]
    if without is not None:
        first = validations[0]
        used = ", ".join(map(str, first.seeds[:N_ABLATED]))
        parts += [
            f"## Effect of each option ({first.scenario.title}, seeds {used})",
            markdown(ablation_rows(without, first.scenario.exposures)),
        ]
    parts += [ORIGINAL, LIMITS]
    page.write_text("\n\n".join(part.rstrip("\n") for part in parts) + "\n", encoding="utf-8")
