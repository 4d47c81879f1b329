"""The page of the validation with simulated detectors: Markdown from the tables of the score."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from badpix.score.tables import ALL, MAJORITY
from badpix.validation.depth import completeness_by_depth, needed_rows
from badpix.validation.plan import N_ABLATED, Scenario
from badpix.validation.targets import Result, missed_lines, pooled_healthy, target_rows
from badpix.validation.texts import DEPTHS, INTRODUCTION, LIMITS, NEEDED, ORIGINAL, POPULATIONS, TARGETS

PAIR = ("official", "flight")
NO_DEPTHS = pd.DataFrame()
Tables = Mapping[str, pd.DataFrame]  # the tables of the score by name


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
    `results` are those of the targets, `seconds` the wall and cpu time of simulations and runs, `versions` the commits
    of the workflow that made the runs.
    """

    scenario: Scenario
    seeds: Sequence[int]
    tables: Tables
    curves: Path
    results: Sequence[Result] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    versions: Sequence[str] = ()


def scenario_text(validation: Validation, page: Path) -> str:
    """The section of a Validation; its figure is copied to the folder of the page."""
    tables, scenario = validation.tables, validation.scenario
    figure = page.parent / f"validation_{scenario.name}.png"
    shutil.copy2(validation.curves, figure)
    seeds = ", ".join(map(str, validation.seeds))
    parts = [
        f"## {scenario.title}",
        f"Seeds {seeds}; other seeds were used to choose the options.{made_in(validation)}",
    ]
    parts += ["Completeness at the limit or stronger:", markdown(completeness_rows(tables))]
    parts += ["Purity, and false pixels with the preset:", markdown(purity_rows(tables))]
    parts += ["Healthy pixels (number, and per million):", markdown(healthy_rows(tables))]
    parts += ["Clusters, border, unlit strip, and intermittent pixels, with the preset:"]
    parts += [markdown(table) for table in structure_rows(tables, scenario.exposures)]
    parts += [f"![found share against strength]({figure.name})", markdown(threshold_rows(tables))]
    return "\n\n".join(parts)


def made_in(validation: Validation) -> str:
    """Effects of the simulation, time of simulations and runs, and version of the workflow, as sentences."""
    effects = ", ".join(f"`{name}`" for name in (*validation.scenario.effects, *validation.scenario.bad_dark))
    text = f" Effects of the simulator: {effects}." if effects else ""
    wall, cpu = (validation.seconds.get(key, 0) / 60 for key in ("wall", "cpu"))
    text += f" {wall:.0f} minutes, {cpu:.0f} minutes of CPU." if wall else ""
    return text + (f" Version {', '.join(validation.versions)}." if validation.versions else "")


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


def depth_parts(depth: pd.DataFrame) -> list[str]:
    """The sections of the table of groups and exposures, `badpix.validation.depth.depth_table`; none if it is empty."""
    if depth.empty:
        return []
    tables = markdown(completeness_by_depth(depth)), markdown(needed_rows(depth))
    return ["## Groups and exposures", DEPTHS, tables[0], NEEDED, tables[1]]


def write_page(
    page: Path, validations: Sequence[Validation], depth: pd.DataFrame = NO_DEPTHS, without: Tables | None = None
) -> None:
    """Write the page `page` (Path) with a section per Validation.

    `depth` is the table of groups and exposures. `without` are the tables of the runs of the first scenario without
    single options; None: no such runs.
    """
    page.parent.mkdir(parents=True, exist_ok=True)
    populations = dict.fromkeys(validation.scenario.population for validation in validations)
    checked = [(validation.scenario.title, validation.results) for validation in validations]
    checked.append(("all scenarios", [pooled_healthy(validation.tables["healthy"] for validation in validations)]))
    parts = [INTRODUCTION, *(POPULATIONS[name] for name in populations)]
    parts += ["## Targets", TARGETS, markdown(target_rows(checked)), missed_lines(checked), *depth_parts(depth)]
    parts += ["## Summary", markdown(summary_rows(validations))]
    parts += [scenario_text(validation, page) for validation in validations]
    if without is not None:
        first = validations[0]
        used = ", ".join(map(str, first.seeds[:N_ABLATED]))
        parts += [
            f"## Effect of each option ({first.scenario.title}, seeds {used})",
            markdown(ablation_rows(without, first.scenario.exposures)),
        ]
    parts += [ORIGINAL, LIMITS] if "survey" in populations else [LIMITS]
    page.write_text("\n\n".join(part.rstrip("\n") for part in parts) + "\n", encoding="utf-8")
