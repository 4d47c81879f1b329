"""The data of the listed pixels, packed for the pixel inspector of the page."""

from collections.abc import Sequence

import numpy as np

from badpix.formats.evidence_file import Evidence
from badpix.report.darks import ABSTAINED, DarkReport
from badpix.report.flats import FlatReport
from badpix.report.packing import Pack
from badpix.report.pixels import DETAIL_BYTES, intermittent_bits
from badpix.report.ramps import Ramps
from badpix.report.words import TESTS, title
from badpix.vote.outlier_test import relative_weights
from badpix.vote.searches.rate import slope_or_saturated
from badpix.vote.searches.registry import SEARCHES
from badpix.vote.tally import votes_needed

# Test -> its measure, for the tests of the searches beyond the official algorithm.
MEASURES = {
    count.name: search.measures[count.measure] for search in SEARCHES for count in search.counts if count.measure
}


def n_detailed(n_listed: int, bytes_per_pixel: int, budget: int = DETAIL_BYTES) -> int:
    """Number of pixels, from the start of the list, whose measurements fit into `budget` bytes."""
    return int(min(n_listed, budget // max(1, bytes_per_pixel)))


def pack_pixels(pack: Pack, evidence: Evidence, dq: np.ndarray, pixels: np.ndarray) -> list[dict]:
    """Add the data with one number per pixel: position, types, mask, votes and measured images.

    `dq` is the mask, uint32 (y, x), `pixels` are flat indices. All arrays except `index` have the order of `pixels`.
    Returns the tests as dicts for the page.
    """
    order = np.argsort(pixels)
    rank = np.arange(pixels.size)[order].astype(np.int32)
    pack.add("index", pixels[order].astype(np.int32))
    # `index` is sorted for a fast search; `rank` is the row of a pixel in all other arrays.
    pack.add("rank", rank)
    for name, image in (("found", evidence.found), ("insufficient", evidence.insufficient),
                        ("intermittent", intermittent_bits(evidence)), ("dq", dq)):  # fmt: skip
        pack.add(name, image.ravel()[pixels].astype(np.uint32))
    for name, image in evidence.measured.items():
        picked = image.ravel()[pixels]
        pack.add(name, picked.astype(np.float32 if image.dtype.kind == "f" else np.int32))
    tests = []
    for test in dict.fromkeys(test for names in evidence.tests.values() for test in names):
        counts = evidence.counts(test)
        fraction, unit, min_valid = evidence.vote(test)
        if counts is not None:
            for name, image in zip(("k_", "n_"), counts, strict=True):
                pack.add(name + test, np.clip(image.ravel()[pixels], 0, 65535).astype(np.uint16))
            n_valid = np.arange(int(counts[1].max(initial=0)) + 1)
            needed = [1] * n_valid.size if fraction is None else votes_needed(n_valid, fraction).tolist()
        tests.append(
            {
                "name": test,
                "label": TESTS.get(test, test),
                "types": [kind for kind, names in evidence.tests.items() if test in names],
                "counted": counts is not None,
                "fraction": fraction,
                "unit": unit,
                "min_valid": min_valid,
                "needed": needed if counts is not None else [],
            }
        )
    return tests


def mean_conditions(pack: Pack, evidence: Evidence, darks: DarkReport, region_of: np.ndarray) -> None:
    """Add the second condition of the searches beyond the official algorithm.

    `m_<test>` is the mean deviation of a pixel, `l_<test>` the limit on it: higher for noisy pixels and for pixels with
    fewer valid votes. `darks` (DarkReport) has the pixels with measurements; `region_of` (pixel) are their amplifiers.
    """
    if not darks.noise_deviation:
        return
    noise, scales = np.stack(darks.noise_deviation, axis=1), np.stack(darks.noise_scale, axis=1)
    ratio = np.maximum(1, np.exp(np.nan_to_num(mean_deviation(noise, relative_weights(scales)))))
    for test, votes in darks.votes.items():
        limits, counts = evidence.mean_limits(test), evidence.counts(test)
        if not limits or counts is None:
            continue
        values, weights = deviation_of(test, evidence, darks, region_of)
        n_valid = (votes != ABSTAINED).sum(axis=1)
        share = np.maximum(n_valid, 1) / max(1, int(counts[1].max()))
        scale = ratio if MEASURES[test].scaled else np.ones(1)
        limit = np.full(n_valid.size, np.nan)
        for row in limits:
            here = (region_of == row.region) | (row.region == 0)
            limit[here] = (row.value * scale / np.sqrt(share))[here]
        pack.add(f"m_{test}", mean_deviation(values, weights).astype(np.float32))
        pack.add(f"l_{test}", limit.astype(np.float32))


def mean_deviation(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of `values` x `weights` (both (pixel, integration)) over the integrations with a value; NaN without a value.

    It is the mean of `badpix.vote.outlier_test.OutlierTest`; the weights are 1 on average.
    """
    valid = ~np.isnan(values)
    # Infinity times a weight of 0 is NaN.
    total = (np.where(valid & (weights > 0), values, 0) * weights).sum(axis=1, dtype=np.float32)
    return np.where(valid.any(axis=1), total / np.maximum(valid.sum(axis=1), 1), np.float32(np.nan))


def deviation_of(
    test: str, evidence: Evidence, darks: DarkReport, region_of: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Values of a test's quantity minus the centres in the evidence file, and their weights in the mean.

    Both are float32 (pixel, integration).
    """
    columns, weights = [], []
    quantity = evidence.quantity(test)
    for number, (segment, integration, _) in enumerate(darks.integrations):
        rows = [row for row in evidence.limits(test, exposure=segment, integration=integration) if row.exposure]
        values = darks.values[quantity][:, number].copy()
        if quantity == "SLOPE":
            values = slope_or_saturated(values, darks.values["NSAT"][:, number])
        weight = np.zeros(values.shape, np.float32)
        for row in rows:
            here = (region_of == row.region) | (row.region == 0)
            values[here] -= np.float32(row.centre)
            weight[here] = row.weight
        columns.append(values)
        weights.append(weight)
    return np.stack(columns, axis=1), np.stack(weights, axis=1)


def panel(
    evidence: Evidence, quantity: str, columns: Sequence[tuple[str, int, str]], array: str, counting: bool = False
) -> dict:
    """The description of a plot of the inspector, a dict for the page.

    Parameters
    ----------
    evidence : Evidence
        Source of the thresholds.
    quantity : str
        Name of the quantity.
    columns : list of tuple
        (segment, integration, exposure) of each value of a pixel; integration 0: all integrations of the exposure.
    array : str
        Name of the packed array of the values.
    counting : bool
        Whether the values are counts.

    Returns
    -------
    dict
        `lines` are the thresholds: test, label, side, and `values`, region -> threshold per column.
    """
    lines: dict[tuple[str, str], dict[int, list[float | None]]] = {}
    for number, (segment, integration, _) in enumerate(columns):
        for row in evidence.limits(quantity=quantity, exposure=segment, integration=integration or None):
            line = lines.setdefault((row.test, row.side), {})
            line.setdefault(row.region, [None] * len(columns))[number] = round(row.value, 6)
    name, unit = title(quantity)
    return {
        "quantity": quantity,
        "title": name,
        "unit": unit,
        "array": array,
        "counting": counting,
        "axis": "integration, in the order of the exposures" if any(i for _, i, _ in columns) else "exposure",
        "columns": [f"{exposure} · {integration}" if integration else exposure for _, integration, exposure in columns],
        "lines": [
            {"test": test, "label": TESTS.get(test, test), "side": side, "values": regions}
            for (test, side), regions in lines.items()
        ],
    }


def pack_darks(pack: Pack, evidence: Evidence, darks: DarkReport, region_of: np.ndarray) -> list[dict]:
    """Add the measurements and votes of the darks; returns the panels of the inspector."""
    panels = []
    by_exposure = [(name, 0, name) for name in darks.exposures]
    pack.add("region", region_of.astype(np.uint8))
    for quantity, values in darks.values.items():
        if quantity == "N_JUMP_UP" or (quantity == "NSAT" and not values.any()):
            continue
        pack.add(f"q_{quantity}", values)
        columns = by_exposure if quantity == "N_JUMP_DOWN" else darks.integrations
        panels.append(panel(evidence, quantity, columns, f"q_{quantity}", values.dtype.kind == "i"))
    if darks.n_down is not None:
        pack.add("JUMPS_DOWN", darks.n_down)
        pack.add("N_JUMP_UP", darks.values["N_JUMP_UP"].sum(axis=1, dtype=np.int32))
    for test, votes in darks.votes.items():
        pack.add(f"b_{test}", votes)
    mean_conditions(pack, evidence, darks, region_of)
    # Quantities with thresholds come first.
    return sorted(panels, key=lambda entry: (not entry["lines"], entry["counting"]))


def pack_flats(pack: Pack, evidence: Evidence, flats: FlatReport) -> list[dict]:
    """Add the responses and votes of the flats; returns the panels of the inspector."""
    assert flats.response is not None  # set by FlatReader.read
    pack.add("q_RESPONSE", flats.response)
    for test, votes in flats.votes.items():
        pack.add(f"b_{test}", votes)
    entry = panel(evidence, "RESPONSE", flats.columns, "q_RESPONSE")
    if not flats.votes:
        entry["note"] = (
            "Each integration divided by the level around the pixel in the mean flat. Only the mean flat decides."
        )
    return [entry]


def pack_ramps(pack: Pack, ramps: Sequence[Ramps], pixels: np.ndarray) -> list[dict]:
    """Add the ramps (list of Ramps) of the sampled `pixels` (sorted flat indices); returns their list for the page."""
    pack.add("ramp_index", pixels.astype(np.int32))
    listed = []
    for number, ramp in enumerate(ramps):
        flat = ramp.signal.reshape(pixels.size, -1)
        pack.add(f"ramp_{number}", flat.astype(np.uint16 if ramp.source == "uncal" else np.float32))
        if ramp.flags is not None:
            pack.add(f"ramp_flags_{number}", ramp.flags.reshape(pixels.size, -1))
        listed.append(
            {
                "exposure": ramp.exposure,
                "kind": ramp.kind,
                "source": ramp.source,
                "integrations": ramp.signal.shape[1],
                "groups": ramp.signal.shape[2],
                "group_time": ramp.group_time_s,
                "flags": ramp.flags is not None,
            }
        )
    return listed
