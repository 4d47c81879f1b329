"""The tables of the score: completeness, purity, confusion, healthy pixels flagged, groups. Pure functions of a Score.

Columns low and high are the ends of 95% intervals (`badpix.score.curves.found_share`). The argument `accepted` maps
names of planted types to their accepted detection types; the default of a planted type is EXPECTED.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from badpix.formats.pixel_types import FLAT_TYPES, HALO_TYPE
from badpix.formats.truth_file import (
    ADJ_OPEN,
    BORDER,
    DONT_CARE,
    HALO,
    HEALTHY,
    MIDDLE,
    NEXT_TO_OPEN,
    RING,
    STRONG_HALO,
    UNLIT,
)
from badpix.score.curves import found_share
from badpix.score.pixels import Score, found_as, insufficient_for

INTERMITTENT_TYPES = ("intermittent_", "minority_")  # prefixes of their names
MAJORITY = 0.5  # a pixel that is bad in this fraction of the exposures or more may be flagged or not
ALONE = "(alone)"  # planted pixels without a group
ALL = "(all)"
# Both types mean high dark current.
ACCEPTED = {"hot": ("hot", "warm")}
Accepted = Mapping[str, Iterable[str]]
# Planted type -> the weakest strength that must be found, or a condition on the columns strength and second of the
# pixel table, for example "strength >= 100 and second >= 0.1".
Limits = Mapping[str, float | str]


def in_majority(pixels: pd.DataFrame) -> pd.Series:
    """Bool per row of `pixels`: bad in MAJORITY or more of the exposures."""
    return pixels["bad_in"] >= MAJORITY * pixels["exposures"]


def check_names(argument: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise ValueError if `names`, the planted types in the mapping `argument`, are not all in `known`."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(f"{argument}: unknown planted type {', '.join(unknown)}; the truth has {', '.join(known)}")


def accepted_types(types: pd.DataFrame, accepted: Accepted | None = None) -> dict[str, tuple[str, ...]]:
    """Planted type of `types` (of a Score) -> its accepted detection types, EXPECTED first."""
    check_names("accepted", accepted or {}, types.index)
    result = {}
    for name, expected in types["EXPECTED"].items():
        allowed = set((accepted or {}).get(name, [expected])) - {""}
        result[name] = tuple(sorted(allowed, key=lambda detection: (detection != expected, detection)))
    return result


def usual_accepted(score: Score) -> dict[str, set[str]]:
    """ACCEPTED, limited to the planted types of the truth and the detection types of the run."""
    names = ACCEPTED.keys() & set(score.types.index)
    return {name: set(ACCEPTED[name]) & set(score.detections) for name in sorted(names)}


def in_own_type(score: Score, accepted: Accepted | None = None, column: Callable[[str], str] = found_as) -> pd.Series:
    """Bool per planted pixel: found as an accepted type; with another `column` function, that column set for it."""
    result = pd.Series(False, index=score.pixels.index)
    for name, allowed in accepted_types(score.types, accepted).items():
        members = score.pixels["type"] == name
        columns = [column(detection) for detection in allowed if detection in score.detections]
        result[members] = score.pixels.loc[members, columns].any(axis=1)
    return result


def is_strong(score: Score, limits: Limits | None = None) -> pd.Series:
    """Bool per planted pixel: at the limit of its type or stronger (direction: STRONGER); True without a limit."""
    check_names("limits", limits or {}, score.types.index)
    result = pd.Series(True, index=score.pixels.index)
    for name, limit in (limits or {}).items():
        members = score.pixels[score.pixels["type"] == name]
        if isinstance(limit, str):
            result[members.index] = members.eval(limit).astype(bool)
        else:
            direction = score.types.loc[name, "STRONGER"]
            result[members.index] = members["strength"] * direction >= limit * direction
    return result


def completeness_table(score: Score, accepted: Accepted | None = None, limits: Limits | None = None) -> pd.DataFrame:
    """A row per planted type, and a row for the neighbours of open pixels.

    Columns: type, planted, expected (accepted types, joined by |), found (as an accepted type), completeness, low,
    high, found_any (as any detection type), flagged (any flag in the mask), do_not_use, insufficient (could not be
    classified for its accepted types; for any type if no type is expected). With `limits` also limit, strong_planted,
    strong_found, strong_completeness, strong_low, strong_high of the pixels at the limit or stronger (in the direction
    STRONGER). NaN if no pixel was planted or no type is expected. ValueError if `accepted` or `limits` name an unknown
    planted type.
    """
    allowed_of = accepted_types(score.types, accepted)
    pixels = score.pixels.assign(
        strong=is_strong(score, limits),
        own=in_own_type(score, accepted),
        own_insufficient=in_own_type(score, accepted, insufficient_for),
    )
    rows = []
    for name, allowed in allowed_of.items():
        members = pixels[pixels["type"] == name]
        row = planted_row(name, allowed, members)
        if limits:
            strong = members[members["strong"]]
            planted = len(strong) if name in limits else np.nan
            found = np.count_nonzero(strong["own"]) if name in limits else np.nan
            row |= {"limit": limits.get(name, np.nan), "strong_planted": planted, "strong_found": found}
        rows.append(row)
    area = score.areas.loc[NEXT_TO_OPEN]
    rows.append({
        "type": NEXT_TO_OPEN, "planted": area["pixels"], "expected": ADJ_OPEN, "found": area.get(found_as(ADJ_OPEN), 0),
        **{key: area[key] for key in ("found_any", "flagged", "do_not_use")},
        "insufficient": area.get(insufficient_for(ADJ_OPEN), 0),
    })  # fmt: skip
    table = pd.DataFrame(rows)
    wanted = np.where(table["expected"] != "", table["planted"], 0)
    insert_share(table, "found", ("completeness", "low", "high"), wanted)
    if limits:
        table = table.astype({"strong_planted": "Int64", "strong_found": "Int64"})
        strong = np.where(table["expected"] != "", table["strong_planted"].fillna(0), 0).astype(int)
        insert_share(table, "strong_found", ("strong_completeness", "strong_low", "strong_high"), strong)
    return table


def planted_row(name: str, allowed: tuple[str, ...], members: pd.DataFrame) -> dict:
    """Counts of a planted type from its rows of the pixel table."""
    count = {key: int(members[key].sum()) for key in ("own", "found_any", "flagged", "do_not_use")}
    return {
        "type": name, "planted": len(members), "expected": "|".join(allowed), "found": count.pop("own"), **count,
        "insufficient": int(members["own_insufficient" if allowed else "insufficient_any"].sum()),
    }  # fmt: skip


def insert_share(table: pd.DataFrame, after: str, names: tuple[str, str, str], number: ArrayLike) -> None:
    """Insert the share of column `after` in `number`, and its interval, behind that column."""
    position = list(table.columns).index(after) + 1
    found = table[after].fillna(0).astype(int)
    for shift, (name, values) in enumerate(zip(names, found_share(found, number), strict=True)):
        table.insert(position + shift, name, values)


def purity_table(score: Score, accepted: Accepted | None = None, limits: Limits | None = None) -> pd.DataFrame:
    """A row per detection type of the run.

    With `limits`, pixels weaker than the limit of their type count neither as right nor as false, because their type is
    ambiguous; but they are right in a further accepted type, such as warm for weak hot pixels. Intermittent pixels that
    are bad in MAJORITY or more of the exposures count neither as right nor as false either.

    Columns: detection, found (science pixels without dont-care pixels), planted_for (found pixels planted for this
    type; ADJ_OPEN: next to an open pixel; HALO_TYPE: in a halo), purity, low, high, dont_care (found dont-care pixels),
    false_healthy (found healthy pixels), false (planted types of all false pixels with their numbers, the most frequent
    first).
    """
    allowed_of = accepted_types(score.types, accepted)
    intermittent = score.pixels["type"].str.startswith(INTERMITTENT_TYPES)
    weak_but_right = pd.Series(False, index=score.pixels.index)
    for name, allowed in allowed_of.items():
        further = [found_as(detection) for detection in allowed[1:] if detection in score.detections]
        weak_but_right |= (score.pixels["type"] == name) & score.pixels[further].any(axis=1)
    counted = is_strong(score, limits) | weak_but_right
    clear = score.pixels[counted & ~(intermittent & in_majority(score.pixels))]
    rows = []
    for detection in score.detections:
        column = found_as(detection)
        hits = clear[clear[column]]
        right = hits["type"].map(lambda name, wanted=detection: wanted in allowed_of[name]).astype(bool)
        if detection == ADJ_OPEN:
            right |= hits["adjacent_to_open"]
        if detection == HALO_TYPE:
            right |= hits["in_halo"]
        false: Counter[str] = Counter(hits.loc[~right, "type"])
        false[HEALTHY] += int(score.areas.loc[HEALTHY, column])
        neighbours = int(score.areas.loc[NEXT_TO_OPEN, column])
        planted_for = int(right.sum())
        if detection == ADJ_OPEN:
            planted_for += neighbours
        elif detection != HALO_TYPE:
            false[NEXT_TO_OPEN] += neighbours
        halos = int(score.areas.loc[HALO, column])
        if detection == HALO_TYPE:
            planted_for += halos
        else:
            false[HALO] += halos
        rows.append(
            {
                "detection": detection,
                "found": planted_for + false.total(),
                "planted_for": planted_for,
                "dont_care": int(score.areas.loc[DONT_CARE, column]),
                "false_healthy": false[HEALTHY],
                "false": ", ".join(f"{name} {count}" for name, count in false.most_common() if count),
            }
        )
    table = pd.DataFrame(rows)
    insert_share(table, "planted_for", ("purity", "low", "high"), table["found"].to_numpy())
    return table


def confusion_table(score: Score) -> pd.DataFrame:
    """The confusion matrix: a row per planted type, then pixels next to open pixels, in halos, dont-care, and healthy.

    Columns: planted (type or kind of pixel), pixels, then the number of pixels found as each detection type, and as
    none. A pixel may be found as several types.
    """
    columns = [found_as(detection) for detection in score.detections]
    planted = score.pixels.assign(pixels=1).groupby("type")[["pixels", *columns, "found_any"]].sum()
    planted = planted.reindex(score.types.index, fill_value=0)
    counts = pd.concat([planted, score.areas.loc[[NEXT_TO_OPEN, HALO, DONT_CARE, HEALTHY], planted.columns]]).astype(
        int
    )
    counts["none"] = counts["pixels"] - counts.pop("found_any")
    counts.columns = ["pixels", *score.detections, "none"]
    return counts.rename_axis("planted").reset_index()


def per_million(table: pd.DataFrame, count: str, number: str) -> pd.DataFrame:
    """`table` with additional columns per_million, low, high: column `count` per million of column `number`."""
    share, low, high = (1e6 * value for value in found_share(table[count], table[number]))
    return table.assign(per_million=share, low=low, high=high)


def healthy_table(score: Score) -> pd.DataFrame:
    """Healthy pixels found as each detection type, as any type, with any flag in the mask, and with DO_NOT_USE.

    Columns: type, healthy_flagged, healthy (number of healthy pixels), per_million, low, high.
    """
    columns = {
        **{name: found_as(name) for name in score.detections},
        "any type": "found_any",
        "any flag in the mask": "flagged",
        "DO_NOT_USE in the mask": "do_not_use",
    }
    area = score.areas.loc[HEALTHY]
    flagged = [int(area[column]) for column in columns.values()]
    table = pd.DataFrame({"type": list(columns), "healthy_flagged": flagged, "healthy": int(area["pixels"])})
    return per_million(table, "healthy_flagged", "healthy")


def dont_care_table(score: Score) -> pd.DataFrame:
    """A single row for the dont-care pixels: pixels, found_any, flagged, do_not_use."""
    return score.areas.loc[[DONT_CARE], ["pixels", "found_any", "flagged", "do_not_use"]].reset_index(drop=True)


def halo_table(score: Score) -> pd.DataFrame:
    """The halos of permanent planted pixels, by capacitive coupling: a row for all, and a row for the strong ones.

    Columns: area, pixels, attributed (found as halo of a neighbour and as no other type), other_type (found as another
    type), do_not_use, share (attributed, of those with any type), of_all (attributed, of all pixels), low, high (of
    `of_all`). A weak halo is below the noise; a strong halo, at least STRONG_HALO_DN, must be attributed.
    """
    table = score.areas.loc[[HALO, STRONG_HALO], ["pixels", "found_any", "found_other", "do_not_use"]].astype(int)
    table.insert(1, "attributed", table.pop("found_any") - table["found_other"])
    table = table.rename(columns={"found_other": "other_type"}).rename_axis("area").reset_index()
    table["share"] = found_share(table["attributed"], table["attributed"] + table["other_type"])[0]
    table["of_all"], table["low"], table["high"] = found_share(table["attributed"], table["pixels"])
    return table


def unlit_table(score: Score) -> pd.DataFrame:
    """Healthy pixels without light: flat types found there are false; the pixels should be insufficient instead.

    A row per flat type of the run, and a row for any flat type. Columns: type, unlit (number), found, insufficient.
    """
    area = score.areas.loc[UNLIT]
    columns = {name: (found_as(name), insufficient_for(name)) for name in FLAT_TYPES if name in score.detections}
    columns["any flat type"] = ("found_flat", "insufficient_flat")
    return pd.DataFrame(
        [(name, area["pixels"], area[found], area[insufficient]) for name, (found, insufficient) in columns.items()],
        columns=["type", "unlit", "found", "insufficient"],
    )


def intermittent_table(score: Score) -> pd.DataFrame:
    """Planted pixels that are bad in some exposures only, by type and number of bad exposures, and for all types.

    Columns: type, bad_in (number of exposures; -1: not known), planted, permanent (found as any type), intermittent
    (listed as intermittent; missing if the run has no such list), insufficient (could not be classified for some type).
    """
    chosen = score.pixels[score.pixels["type"].str.startswith(INTERMITTENT_TYPES)]
    both = pd.concat([chosen, chosen.assign(type=ALL)]).assign(planted=1)
    columns = {"found_any": "permanent", "intermittent": "intermittent", "insufficient_any": "insufficient"}
    table = both.groupby(["type", "bad_in"], sort=False)[["planted", *columns]].sum().astype("Int64")
    if not score.knows_intermittent:
        table["intermittent"] = pd.NA
    order = [name for name in [*score.types.index, ALL] if name in table.index.get_level_values("type")]
    table = table.sort_index(level="bad_in", kind="stable").reindex(order, level="type") if len(table) else table
    return table.rename(columns=columns).reset_index()


def group_table(score: Score, accepted: Accepted | None = None) -> pd.DataFrame:
    """Planted pixels by group, and the healthy pixels around them, which bad neighbours may affect.

    Columns: group, planted, expected (pixels with an expected type), found (as an accepted type), completeness, low,
    high, planted_flagged (any flag in the mask), ring (healthy pixels within 2 pixels of the group), ring_found (as any
    type), ring_flagged (any flag in the mask), ring_share (flagged).
    """
    allowed_of = accepted_types(score.types, accepted)
    pixels = score.pixels.assign(
        planted=1,
        expected=score.pixels["type"].map(lambda name: bool(allowed_of[name])).astype(bool),
        found=in_own_type(score, accepted),
    )
    table = pixels.groupby("group")[["planted", "expected", "found", "flagged"]].sum().astype(int)
    table = table.rename(columns={"flagged": "planted_flagged"})
    rings = score.areas.loc[[RING + name for name in table.index]]
    table["ring"], table["ring_found"] = rings["pixels"].to_numpy(), rings["found_any"].to_numpy()
    table["ring_flagged"] = rings["flagged"].to_numpy()
    table["ring_share"] = found_share(table["ring_flagged"], table["ring"])[0]
    insert_share(table, "found", ("completeness", "low", "high"), table["expected"].to_numpy())
    return table.rename(index={"": ALONE}).reset_index()


def border_table(score: Score) -> pd.DataFrame:
    """Healthy pixels within 4 pixels of the edge of the science area, and all remaining healthy pixels.

    Columns: band, healthy (number), found_any, flagged, per_million (flagged), low, high.
    """
    table = score.areas.loc[[BORDER, MIDDLE], ["pixels", "found_any", "flagged"]]
    table = table.rename_axis("band").rename(columns={"pixels": "healthy"}).reset_index()
    return per_million(table, "flagged", "healthy")
