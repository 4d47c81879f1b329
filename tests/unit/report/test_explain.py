"""Why a pixel is flagged, in words: votes, limits, source, intermittent pixels, known pixels and history."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from badpix.formats.evidence_file import write_evidence
from badpix.formats.mask_file import MaskHeader, write_mask
from badpix.formats.provenance import Provenance
from badpix.formats.thresholds import ABOVE, AT_LEAST, Threshold, vote_rows
from badpix.formats.type_result import TypeResult
from badpix.instrument.dq import bits
from badpix.instrument.geometry import Geometry
from badpix.report.explain import NotExplained, explanation, find_mask

GEOMETRY = Geometry("SUB64", 101, 201, 4, 3, -2, -1)
FULL = Geometry("FULL", 1, 1, 2048, 2048, -2, -1)
PLACE = {"SUBSTRT1": 101, "SUBSTRT2": 201, "SUBSIZE1": 4, "SUBSIZE2": 3, "FASTAXIS": -2, "SLOWAXIS": -1}
X, Y = 3, 1


def at(*pixels, dtype=bool, value=True):
    image = np.zeros(GEOMETRY.shape, dtype)
    for x, y in pixels:
        image[y, x] = value
    return image


def write(folder, name="m.fits", frame=GEOMETRY):
    """Hot at (X, Y) with 9 of 10 votes, its halo at (2, 1), noisy not classified at (0, 0), manual flag at (1, 2)."""
    folder.mkdir(parents=True, exist_ok=True)
    limits = [Threshold("rate", "SLOPE", ABOVE, value, "DN/s", exposure=f"d{value}") for value in (1.5, 2.5)]
    hot = TypeResult(
        at((X, Y)), at(), {"rate": (at((X, Y), dtype=np.int16, value=9), np.full((3, 4), 10, np.int16))},
        intermittent=at((0, 2)), thresholds=(*limits, *vote_rows("rate", 0.75, "integrations", 1)),
    )  # fmt: skip
    limits = Threshold("noisy", "NOISE", ABOVE, 6.25, "DN/s"), Threshold("noisy", "NJUMP", AT_LEAST, 4, "groups")
    counts = at((X, Y), dtype=np.int16), np.ones((3, 4), np.int16)
    noisy = TypeResult(at((X, Y)), at((0, 0)), {"noisy": counts}, thresholds=limits)
    results = {"hot": hot, "noisy": noisy, "ipc_neighbor": TypeResult(at((2, 1)), at())}
    source = np.full(GEOMETRY.shape, -1, np.int32)
    source[1, 2] = Y * 4 + X
    measured = {"NOISE": (np.full((3, 4), 7.5, np.float32), "DN/s"), "IPC_SOURCE": (source, None)}
    write_evidence(folder / "evidence.fits", results, measured, "NIS", Provenance())
    dq = np.zeros(frame.shape, np.uint32)
    y, x = GEOMETRY.y_start - frame.y_start, GEOMETRY.x_start - frame.x_start
    dq[y + Y, x + X], dq[y + 2, x + 1] = bits(["HOT", "DO_NOT_USE"]), bits(["UNRELIABLE_SLOPE"])
    texts = {"author": "a", "description": "d", "pedigree": "GROUND", "useafter": "2024-01-01T00:00:00"}
    write_mask(folder / name, dq, frame, MaskHeader({"instrument": "NIRISS", "detector": "NIS"}, texts))
    return folder


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = write(tmp_path_factory.mktemp("run") / "results" / "NIS")
    (folder / "known_bad").mkdir()
    full = {"x": [103, 103], "y": [201, 202], "known_as": ["HOT", "RC"], "state": ["found", "lost"]}
    pd.DataFrame(full).to_csv(folder / "known_bad" / "known_bad_pixels.csv", index=False)
    (folder / "history").mkdir()
    seen = {"first_seen": "2023", "last_seen": "2024", "n_epochs_flagged": 2, "n_epochs": 5}
    entries = [{"x": 103, "y": 201, "flag": flag} | seen for flag in ("HOT", "ANY")]
    pd.DataFrame(entries).to_parquet(folder / "history" / "pixels.parquet")
    return folder.parent


def lines(results, x, y):
    return explanation(find_mask(results), x, y)


def test_votes_limits_known_pixels_and_history_of_a_flagged_pixel(results):
    assert lines(results, X, Y) == [
        "NIS: x 3, y 1 in the mask, x 103, y 201 in the full frame (0-based)",
        f"{results}/NIS/m.fits: HOT+DO_NOT_USE",
        "types: hot, noisy",
        "hot (Hot):",
        "  High slope: 9 of 10 integrations, 8 needed (fraction 0.75)",
        "    limit: Slope in darks above 1.5 to 2.5 DN/s (by exposure)",
        "noisy (Noisy):",
        "  Scatter of jump-free slopes: 1 of 1 votes",
        "    limit: scatter above 6.25 DN/s; measured 7.5",
        "    limit: jumps at least 4 groups",
        "measured: NOISE 7.5 DN/s",
        f"known to be bad: as HOT; found ({results}/NIS/known_bad/known_bad_pixels.csv)",
        "history: HOT in 2 of 5 masks, from 2023 to 2024",
    ]


def test_what_stands_in_the_way_of_a_flag(results):
    good = lines(results, 0, 0)
    assert good[1].endswith("m.fits: good") and good[2] == "types: none"
    assert "could not be classified (INSUFFICIENT): noisy" in good
    assert "  hot: High slope: 0 of 10 integrations, 8 needed (fraction 0.75)" in good
    assert "bad in some exposures, but not in enough (INTERMITTENT): hot" in lines(results, 0, 2)
    assert lines(results, 1, 2)[2] == "types: none; its flags are of a reference pixel, or of the manual table"


def test_a_halo_names_its_source(results):
    assert "its signal comes from: x 3, y 1 (hot, noisy)" in lines(results, 2, 1)


def test_a_mask_of_the_full_frame_is_larger_than_the_array_of_the_votes(tmp_path):
    folder = write(tmp_path / "NIS", frame=FULL)
    with pytest.raises(NotExplained, match="no statistics of the exposures"):
        lines(folder, 103, 201)
    for name, card in (("a", {"REJECTED": True}), ("b", {"REJECTED": False, "SUBARRAY": "SUB64"} | PLACE)):
        (folder / "darks").mkdir(exist_ok=True)
        fits.PrimaryHDU(header=fits.Header(card)).writeto(folder / "darks" / f"{name}_dark_statistics.fits")
    assert lines(folder, 103, 201)[:3] == [
        "NIS: x 103, y 201 in the mask, x 103, y 201 in the full frame (0-based)",
        f"{folder}/m.fits: HOT+DO_NOT_USE",
        "types: hot, noisy",
    ]
    assert "its signal comes from: x 103, y 201 (hot, noisy)" in lines(folder, 102, 201)
    assert lines(folder, 99, 200)[2].startswith("outside the array of the exposures")


def test_a_pixel_or_a_mask_that_is_not_there_is_named(results, tmp_path):
    with pytest.raises(NotExplained, match="x is 0 to 3 and y 0 to 2, not 4, 0"):
        lines(results, 4, 0)
    for x, y in ((-1, 0), (0, -1), (0, 3)):
        with pytest.raises(NotExplained):
            lines(results, x, y)
    one, two = (write(tmp_path / "results" / name) for name in ("NIS", "NRCA1"))
    with pytest.raises(NotExplained, match=f"there is {one}, {two}"):
        find_mask(tmp_path / "results")
    assert find_mask(one).mask == one / "m.fits"
    write(one, "second.fits")
    with pytest.raises(NotExplained, match=r"a mask is needed; there is m.fits, second.fits"):
        find_mask(one)
    assert find_mask(one, one / "second.fits").mask == one / "second.fits"
