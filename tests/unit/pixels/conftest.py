"""A vote on the statistics of test_adapters, made once: 16 x 16 pixels, a bad pixel per type."""

import pytest

import flat_response
from badpix.config.settings import ResponseSettings
from badpix.formats.response_file import Responses
from badpix.pixels.result import ResultFiles, read_result
from badpix.statistics.flat import FlatMeasurement
from badpix.statistics.given import measure_given
from badpix.vote.exposure_set import VoteFiles
from unit.test_adapters import DETECTOR, config, dark, make_dark, make_flat, vote


@pytest.fixture(scope="session")
def statistics(tmp_path_factory):
    """Statistics of three darks and three flats, and the flats' response. Read only."""
    folder = tmp_path_factory.mktemp("statistics")
    darks = [dark(folder, make_dark(folder, f"d{i}", i), f"d{i}") for i in (1, 2, 3)]
    flats = [folder / f"f{i}_flat_statistics.fits" for i in (1, 2, 3)]
    for i, path in enumerate(flats, start=1):
        products = make_flat(folder, f"f{i}", raw=False)
        measure_given(products, path, f"f{i}", FlatMeasurement())
    flat_response.main(flats, folder / "response.fits", DETECTOR, ResponseSettings.from_config(config()))
    return {"darks": darks, "flats": flats, "response": folder / "response.fits"}


@pytest.fixture(scope="session")
def voted(statistics, tmp_path_factory):
    """A function: the ResultFiles and the MaskResult of a vote with changed keys, made once for equal keys."""
    done = {}

    def vote_once(manual=None, **changes):
        key = repr((manual, sorted(changes.items())))
        if key not in done:
            folder = tmp_path_factory.mktemp("vote")
            if manual:
                (folder / "manual.txt").write_text(manual)
            outputs = vote(folder, statistics, manual=folder / "manual.txt" if manual else None, **changes)
            votes = VoteFiles(statistics["darks"], statistics["flats"], Responses(statistics["response"]))
            files = ResultFiles(votes, str(outputs["mask"]), str(outputs["evidence"]))
            done[key] = files, read_result(files, DETECTOR, config(**changes))
        return done[key]

    return vote_once
