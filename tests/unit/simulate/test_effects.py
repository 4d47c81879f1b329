"""Effects of the simulator: off by default without any influence, named on the command line, recorded in the truth."""

from hashlib import sha256

import numpy as np
import pytest
from astropy.io import fits

from badpix.simulate.detector import make_detector
from badpix.simulate.effects import Effects, effect_stream, parse_effects
from badpix.simulate.exposure import Exposure
from badpix.simulate.headers import make_geometry
from badpix.simulate.populations import POPULATIONS
from badpix.simulate.ramps import simulate_exposure
from badpix.simulate.simulation import Simulation
from simulate import main, parse_arguments

# Raw counts (and the planted pixels) before there were effects. A change of them changes every figure in docs/.
DIGESTS = {
    ("NIRISS", "demo", "dark"): "a2497caf7c791965",
    ("NIRISS", "survey", "flat"): "2cc847c39ec70257",
    ("MIRI", "survey", "dark"): "4e111c6b429cf916",
}


@pytest.mark.parametrize("instrument, population, kind", DIGESTS)
def test_counts_without_effects_are_bit_by_bit_those_before_effects(instrument, population, kind):
    detector = make_detector(make_geometry(instrument, 64), 3, POPULATIONS[population])
    counts = simulate_exposure(detector, Exposure(kind, 2, 2, 3), seed=3)
    found = sha256(counts.tobytes() + detector.pixels.tobytes()).hexdigest()[:16]
    assert found == DIGESTS[instrument, population, kind]


def test_effects_of_the_command_line():
    assert parse_arguments(["--out", "x"])[1].effects == Effects()
    assert parse_arguments(["--out", "x", "--effects", "full_frame_time"])[1].effects == Effects(full_frame_time=1)
    assert parse_effects(["full_frame_time=0"]) == Effects()


@pytest.mark.parametrize(
    "words, message",
    [
        (["full_frame_tme"], "unknown effect 'full_frame_tme'; known are .*full_frame_time"),
        (["full_frame_time=x"], "effect 'full_frame_time=x': not a number"),
        (["full_frame_time=-1"], "effect full_frame_time=-1.0: allowed are 0"),
        (["full_frame_time=nan"], "effect full_frame_time=nan: allowed are 0"),
        (["full_frame_time", "full_frame_time"], "effect 'full_frame_time' is given twice"),
        (["blind_border=0.4"], r"effect blind_border=0.4: allowed are 0 \(off\) and positive whole numbers$"),
        (["border_cluster=2"], "effect border_cluster=2.0: allowed are 0 .* positive numbers below 1$"),
        (["ipc=0.3"], "positive numbers below 0.2$"),
    ],
)
def test_wrong_effects(words, message):
    with pytest.raises(ValueError, match=message):
        parse_effects(words)


def test_small_array_with_the_frame_time_of_the_full_frame(tmp_path):
    few = {"size": 64, "instrument": "NIRCAM", "flats": 0, "darks": 1, "integrations": 1, "groups": 2}
    (path,) = main(tmp_path, Simulation(**few, effects=Effects(full_frame_time=1)))
    assert fits.getval(path, "TFRAME") == pytest.approx(10.73677)
    assert fits.getheader(tmp_path / "truth.fits")["EFFECTS"] == "full_frame_time=1"
    with pytest.raises(ValueError, match="other effects: 'full_frame_time=1', not ''; choose another folder"):
        main(tmp_path, Simulation(**few, first_dark=2))
    main(tmp_path / "off", Simulation(**few))
    assert "EFFECTS" not in fits.getheader(tmp_path / "off" / "truth.fits")


def test_stray_light_of_single_darks(tmp_path):
    few = {"size": 64, "flats": 0, "darks": 1, "integrations": 1, "groups": 4}
    (good,) = main(tmp_path, Simulation(**few))
    (bad,) = main(tmp_path, Simulation(**few, first_dark=2, effects=Effects(stray_light=2000)))
    columns = [fits.getdata(path, "SCI")[0, :, :-4].astype(float).mean(axis=1) for path in (good, bad)]
    slopes = [(one[-1] - one[0]) for one in columns]
    frame_s = fits.getval(bad, "TFRAME")
    assert np.median(slopes[1][40:58] - slopes[0][40:58]) == pytest.approx(2000 * 3 * frame_s * 48.5 / 63, rel=0.05)
    assert "EFFECTS" not in fits.getheader(tmp_path / "truth.fits"), "the detector is the same"


def test_random_numbers_of_effects_are_separate():
    dark, flat = Exposure("dark", 1, 1, 1), Exposure("flat", 1, 1, 1)
    given = [("a", 1), ("b", 1), ("a", 2), ("a", 1, dark), ("a", 1, flat), ("a", 1, Exposure("dark", 2, 1, 1))]
    assert len({effect_stream(*arguments).random() for arguments in given}) == len(given)


def test_the_help_of_the_simulator_can_be_shown(capsys):
    with pytest.raises(SystemExit):
        parse_arguments(["--help"])
    assert "full_frame_time" in capsys.readouterr().out
