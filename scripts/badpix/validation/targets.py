"""The targets of the validation: whether the preset meets them in a scenario, and where it does not, why."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from badpix.formats.pixel_types import HALO_TYPE
from badpix.formats.truth_file import HEALTHY, STRONG_HALO, UNLIT
from badpix.score.curves import found_share
from badpix.score.pixels import Score, found_as, insufficient_for
from badpix.score.tables import Accepted, Limits, accepted_types, healthy_table, in_own_type, is_strong, purity_table
from badpix.validation.plan import FLIGHT, WITH_BAD_DARK, WITHOUT_BAD_DARK

LEAST_SHARE = 0.98  # completeness, purity
HEALTHY_PER_MILLION = 5.0  # healthy pixels with DO_NOT_USE
INSUFFICIENT_SHARE = 0.01  # of the lit pixels, per type
LIT_CLASSIFIED = 0.97  # share of the lit pixels that the flats classify, where parts are not lit
DO_NOT_USE = "DO_NOT_USE in the mask"


@dataclass(frozen=True)
class Result:
    """A target, what was measured, whether the target is met, and the reason if not."""

    target: str
    measured: str
    met: bool
    reason: str = ""


def check_targets(scores: Mapping[str, Score], accepted: Accepted, limits: Limits) -> list[Result]:
    """The results of the preset in a scenario; `scores` by label of the run, `limits` by planted type."""
    score = scores[FLIGHT]
    results: list[Result | None] = [
        completeness_result(score, accepted, limits),
        cluster_result(score, accepted, limits),
        found_result(score, accepted, limits),
        purity_result(score, accepted, limits),
        healthy_result(score),
        halo_result(score),
        insufficient_result(score, accepted, limits),
    ]
    if score.areas.loc[UNLIT, "pixels"]:
        results += [lit_result(score), gap_result(score)]
    if WITH_BAD_DARK in scores:
        results.append(bad_dark_result(scores, accepted, limits))
    return [result for result in results if result is not None]


def shares_by_type(score: Score, accepted: Accepted, limits: Limits, alone: bool = False) -> pd.DataFrame:
    """Planted pixels at their limit or stronger, without those that no light reaches: planted, found, share by type.

    `alone`: only pixels that are in no cluster.
    """
    pixels = chosen_pixels(score, accepted, limits)
    pixels = pixels[pixels["group"] == ""] if alone else pixels
    table = pixels.groupby("type", sort=False)["own"].agg(["size", "sum"]).set_axis(["planted", "found"], axis=1)
    table = table.loc[[name for name in score.types.index if name in table.index]]
    return table.assign(share=found_share(table["found"], table["planted"])[0])


def chosen_pixels(score: Score, accepted: Accepted, limits: Limits) -> pd.DataFrame:
    """Rows of the planted pixels of types with a limit, at the limit or stronger, with `own`: found as such."""
    pixels = score.pixels.assign(own=in_own_type(score, accepted))
    unlit = pixels["unlit"] & pixels["type"].isin(["dead", "low_qe", "open"])
    return pixels[is_strong(score, limits) & pixels["type"].isin(limits) & ~unlit]


def completeness_result(score: Score, accepted: Accepted, limits: Limits) -> Result:
    """Completeness of each type at its limit or stronger."""
    shares = shares_by_type(score, accepted, limits)
    low = shares[shares["share"] < LEAST_SHARE].sort_values("share")
    reasons = [missed_text(score, accepted, limits, name) for name in low.index]
    lowest = shares["share"].idxmin()
    measured = f"{lowest} {shares.loc[lowest, 'share']:.3f}"
    return Result(f"completeness of each type >= {LEAST_SHARE}", measured, low.empty, "; ".join(reasons))


def missed_text(score: Score, accepted: Accepted, limits: Limits, name: str) -> str:
    """What happened to the missed pixels of the planted type `name`."""
    pixels = chosen_pixels(score, accepted, limits)
    pixels = pixels[pixels["type"] == name]
    missed = pixels[~pixels["own"]]
    own_types = [
        detection for detection in accepted_types(score.types, accepted)[name] if detection in score.detections
    ]
    insufficient = missed[[insufficient_for(detection) for detection in own_types]].all(axis=1)
    fates: Counter[str] = Counter()
    for number, row in missed.iterrows():
        others = [detection for detection in score.detections if row[found_as(detection)]]
        if others:
            fates[f"found as {' and '.join(others)}"] += 1
        elif insufficient[number]:
            fates["not classified"] += 1
        else:
            fates["listed as intermittent" if row["intermittent"] else "not found"] += 1
    text = ", ".join(f"{count} {fate}" for fate, count in fates.most_common())
    strength = f"median strength {missed['strength'].median():.3g}, of all {pixels['strength'].median():.3g}"
    return f"{name} {len(pixels) - len(missed)} of {len(pixels)}: {text} ({strength})"


def cluster_result(score: Score, accepted: Accepted, limits: Limits) -> Result | None:
    """Completeness of the planted pixels in each kind of cluster; None without clusters."""
    pixels = chosen_pixels(score, accepted, limits)
    table = pixels[pixels["group"] != ""].groupby("group")["own"].agg(["size", "sum", "mean"])
    if table.empty:
        return None
    low = table[table["mean"] < LEAST_SHARE]
    reason = "; ".join(f"{row.Index} {row.sum_} of {row.size_}" for row in low.set_axis(
        ["size_", "sum_", "mean_"], axis=1).itertuples())  # fmt: skip
    lowest = table["mean"].idxmin()
    measured = f"{lowest} {table.loc[lowest, 'mean']:.3f}"
    return Result(f"completeness in each kind of cluster >= {LEAST_SHARE}", measured, low.empty, reason)


def found_result(score: Score, accepted: Accepted, limits: Limits) -> Result | None:
    """Planted types of effects, which have no limit and no target: how many are found; None without such types."""
    usual = ("crds_flagged_dead", *limits)
    names = [name for name, expected in score.types["EXPECTED"].items() if expected and name not in usual]
    if not names:
        return None
    pixels = score.pixels.assign(own=in_own_type(score, accepted))
    parts = [pixels[pixels["type"] == name] for name in names]
    counts = [f"{name} {part['own'].sum()} of {len(part)}, {part['flagged'].sum()} flagged"
              for name, part in zip(names, parts, strict=True)]  # fmt: skip
    return Result("found, without a target", "; ".join(counts), True)


def purity_result(score: Score, accepted: Accepted, limits: Limits) -> Result:
    """Purity of each detection type."""
    table = purity_table(score, accepted, limits).dropna(subset="purity").set_index("detection")
    low = table[table["purity"] < LEAST_SHARE].sort_values("purity")
    reasons = [f"{name}: {row['found'] - row['planted_for']} of {row['found']} are {row['false']}"
               for name, row in low.iterrows()]  # fmt: skip
    lowest = table["purity"].idxmin()
    measured = f"{lowest} {table.loc[lowest, 'purity']:.3f}"
    return Result(f"purity of each type >= {LEAST_SHARE}", measured, low.empty, "; ".join(reasons))


def healthy_result(score: Score) -> Result:
    """Healthy pixels with DO_NOT_USE."""
    table = healthy_table(score).set_index("type")
    row = table.loc[DO_NOT_USE]
    types = table.loc[[*score.detections], "healthy_flagged"].sort_values(ascending=False, kind="stable")
    reason = ", ".join(f"{count} as {name}" for name, count in types.items() if count)
    measured = f"{row['healthy_flagged']:.0f} of {row['healthy']:.0f}"
    met = row["per_million"] <= HEALTHY_PER_MILLION
    return Result(
        f"healthy with DO_NOT_USE <= {HEALTHY_PER_MILLION:g} per million", measured, met, "" if met else reason
    )


def halo_result(score: Score) -> Result | None:
    """Strong halos: pixels with coupled signal of a neighbour, found as that and as nothing else; None without any."""
    area = score.areas.loc[STRONG_HALO]
    number, attributed = int(area["pixels"]), int(area["found_any"] - area["found_other"])
    if not number:
        return None
    missed = [f"{number - int(area['found_any'])} not found"] if area["found_any"] < number else []
    types = {name: int(area[found_as(name)]) for name in score.detections if name != HALO_TYPE}
    missed += [f"{count} found as {name}" for name, count in types.items() if count]
    met = attributed / number >= LEAST_SHARE
    measured = f"{attributed} of {number}: {attributed / number:.3f}"
    return Result(f"strong halos attributed >= {LEAST_SHARE}", measured, met, "" if met else ", ".join(missed))


def pooled_healthy(tables: Iterable[pd.DataFrame]) -> Result:
    """Healthy pixels with DO_NOT_USE in all scenarios together, from their tables of healthy pixels."""
    rows = pd.concat(tables).query("run == @FLIGHT and type == @DO_NOT_USE")
    flagged, healthy = int(rows["healthy_flagged"].sum()), int(rows["healthy"].sum())
    share, low, high = (1e6 * float(value) for value in found_share(flagged, healthy))
    measured = f"{flagged} of {healthy}: {share:.1f} per million [{low:.1f}, {high:.1f}]"
    met = share <= HEALTHY_PER_MILLION
    return Result(
        f"healthy with DO_NOT_USE <= {HEALTHY_PER_MILLION:g} per million", measured, met, "" if met else measured
    )


def lit_counts(score: Score) -> pd.Series:
    """Counts of the healthy pixels with light: number, and number with each property."""
    return score.areas.loc[HEALTHY] - score.areas.loc[UNLIT]


def insufficient_result(score: Score, accepted: Accepted, limits: Limits) -> Result:
    """Healthy pixels with light that could not be classified, by detection type, of types with enough exposures.

    Where the completeness of a planted type misses its target, the exposures do not suffice for its detection type.
    """
    lit, planted = lit_counts(score), shares_by_type(score, accepted, limits)["share"]
    wanting = {score.types.loc[name, "EXPECTED"] for name in planted[planted < LEAST_SHARE].index}
    shares = {name: lit[insufficient_for(name)] / lit["pixels"] for name in score.detections if name not in wanting}
    highest = max(shares, key=lambda name: shares[name])
    high = {name: share for name, share in shares.items() if share > INSUFFICIENT_SHARE}
    reason = ", ".join(f"{name} {share:.3f}" for name, share in sorted(high.items(), key=lambda item: -item[1]))
    measured = f"{highest} {shares[highest]:.4f}"
    return Result(f"INSUFFICIENT <= {INSUFFICIENT_SHARE:g} of the lit pixels of each type", measured, not high, reason)


def lit_result(score: Score) -> Result:
    """Share of the pixels with light that the flats classify, where parts of the detector are not lit."""
    lit = lit_counts(score)
    share = 1 - lit["insufficient_flat"] / lit["pixels"]
    met = share >= LIT_CLASSIFIED
    reason = "" if met else f"{lit['insufficient_flat']:.0f} of {lit['pixels']:.0f} pixels with light are INSUFFICIENT"
    return Result(f"lit area classified >= {LIT_CLASSIFIED}", f"{share:.3f}", met, reason)


def gap_result(score: Score) -> Result:
    """Healthy pixels without light that the flats call bad."""
    area = score.areas.loc[UNLIT]
    found = int(area["found_flat"])
    types = [name for name in score.detections if found_as(name) in area and area[found_as(name)]]
    reason = "" if not found else ", ".join(f"{area[found_as(name)]:.0f} {name}" for name in types)
    return Result("no bad pixels by flats where no light falls", f"{found} of {area['pixels']:.0f}", not found, reason)


def bad_dark_result(scores: Mapping[str, Score], accepted: Accepted, limits: Limits) -> Result:
    """A bad dark among the good ones against the good ones alone: completeness and healthy pixels with DO_NOT_USE."""
    with_it, without = (shares_by_type(scores[label], accepted, limits) for label in (WITH_BAD_DARK, WITHOUT_BAD_DARK))
    lost = (without["found"] - with_it["found"]).loc[lambda found: found > 0]
    flagged = [int(scores[label].areas.loc[HEALTHY, "do_not_use"]) for label in (WITHOUT_BAD_DARK, WITH_BAD_DARK)]
    parts = [f"{count} {name} fewer" for name, count in lost.items()]
    if flagged[1] > flagged[0]:
        parts.append(f"{flagged[1] - flagged[0]} more healthy pixels with DO_NOT_USE")
    return Result("a bad dark among the good ones costs nothing", ", ".join(parts) or "nothing", not parts,
                  ", ".join(parts))  # fmt: skip


def target_rows(checked: Sequence[tuple[str, Sequence[Result]]]) -> pd.DataFrame:
    """A row per scenario (title, results) and target."""
    return pd.DataFrame(
        [
            {"scenario": title, "target": one.target, "measured": one.measured, "": "met" if one.met else "**missed**"}
            for title, results in checked
            for one in results
        ]
    )


def missed_lines(checked: Sequence[tuple[str, Sequence[Result]]]) -> str:
    """A list of the missed targets with their reasons, as Markdown."""
    lines = [f"* {title}: {one.target}. {one.reason}." for title, results in checked for one in results if not one.met]
    return "\n".join(lines) or "All targets are met."
