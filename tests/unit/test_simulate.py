"""The demo simulator: planted pixels, ramps, names and headers, truth, and the CRDS cache. No pipeline run here."""

import hashlib

import numpy as np
import pytest
from astropy.io import fits

from badpix.dq import PIXEL_FLAGS
from badpix.simulate import headers, ramps
from badpix.simulate.detector import make_detector
from badpix.simulate.planting import planted_count
from badpix.simulate.populations import DEMO
from badpix.simulate.static_maps import NONLINEARITY_PER_DN
from badpix.simulate.truth import adjacent_to_open, truth_image
from simulate import main

SIZE = 64
AREA = (SIZE / 256) ** 2
GROUPS = 6
CODES = DEMO.codes


@pytest.fixture(scope="module")
def detector():
    return make_detector(headers.make_geometry("NIRISS", SIZE), seed=1)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A complete small demo: two darks and one flat."""
    folder = tmp_path_factory.mktemp("demo")
    main(folder, size=SIZE, darks=2, flats=1, integrations=1, groups=GROUPS)
    return folder


def chebyshev_neighbours(image):
    """True within one pixel (diagonals included) of a True pixel."""
    padded = np.pad(image, 1)
    ny, nx = image.shape
    return np.logical_or.reduce([padded[dy : dy + ny, dx : dx + nx] for dy in range(3) for dx in range(3)])


@pytest.mark.parametrize(
    ("instrument", "detector_name", "size", "subarray", "start"),
    [
        ("NIRISS", None, 256, "SUB256", 1793),
        ("NIRISS", None, 64, "SUB64", 1985),
        ("NIRISS", None, 2048, "FULL", 1),
        ("NIRCAM", "NRCALONG", 2048, "FULL", 1),
        ("NIRCAM", None, 320, "SUB320", 1729),
        ("FGS", "GUIDER2", 128, "128X128", 1921),
    ],
)
def test_geometry(instrument, detector_name, size, subarray, start):
    geometry = headers.make_geometry(instrument, size, detector_name)
    assert (geometry.subarray, geometry.xstart, geometry.ystart) == (subarray, start, start)
    assert geometry.noutputs == (4 if size == 2048 else 1)


def test_full_frame_time_is_that_of_the_real_detectors():
    assert headers.make_geometry("NIRCAM", 2048).frame_time_s == pytest.approx(10.73677, abs=1e-4)


@pytest.mark.parametrize(
    ("instrument", "size", "detector_name", "message"),
    [("NIRISS", 100, None, "sizes known"), ("NIRISS", 64, "NRCA1", "not one of NIRISS")],
)
def test_impossible_geometry_is_refused(instrument, size, detector_name, message):
    with pytest.raises(ValueError, match=message):
        headers.make_geometry(instrument, size, detector_name)


def test_reference_pixels_of_a_corner_subarray(detector):
    reference = detector.reference
    assert reference[-4:].all() and reference[:, -4:].all()
    assert not reference[:-4, :-4].any()


def test_reference_pixels_of_the_full_frame():
    from badpix.simulate.detector import reference_pixels

    reference = reference_pixels(headers.make_geometry("NIRISS", 2048))
    assert np.count_nonzero(~reference) == 2040**2
    assert reference[:4].all() and reference[:, -4:].all()


def test_planted_numbers_scale_with_the_area():
    dead = DEMO.types[0]
    assert [planted_count(dead, (size / 256) ** 2) for size in (64, 256, 2048)] == [6, 60, 3840]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_pixels_do_not_touch(seed):
    detector = make_detector(headers.make_geometry("NIRISS", SIZE), seed)
    y, x = detector.pixels["y"].astype(int), detector.pixels["x"].astype(int)
    distance = np.maximum(abs(y[:, None] - y), abs(x[:, None] - x))
    np.fill_diagonal(distance, 99)
    assert distance.min() >= 4  # the rings of eight neighbours neither overlap nor touch
    assert not detector.reference[y, x].any()
    assert min(y.min(), x.min()) >= 4 and max(y.max(), x.max()) < SIZE - 4 - 4
    assert {name: np.count_nonzero(detector.pixels["code"] == code) for name, code in CODES.items()} == {
        planted.name: planted_count(planted, AREA) for planted in DEMO.types
    }


def test_minority_pixels_are_bad_in_one_exposure_of_five(detector):
    steady = len(detector.select("rc"))
    extra = [len(detector.select("rc", index)) - steady for index in range(1, 6)]
    assert sum(extra) == np.count_nonzero(detector.pixels["code"] == CODES["minority_rc"])
    assert len(detector.select("rc", 1)) == len(detector.select("rc", 6))


def test_exposure_is_the_same_whatever_else_is_made(demo, tmp_path):
    """The second dark made alone, later, equals the second dark of the first run."""
    paths = main(tmp_path, size=SIZE, darks=1, flats=0, integrations=1, groups=GROUPS, first_dark=2)
    twin = demo / "darks" / paths[0].name
    assert np.array_equal(fits.getdata(paths[0], "SCI"), fits.getdata(twin, "SCI"))


def test_exposures_differ(detector):
    first, second = (ramps.simulate_exposure(detector, "dark", index, 1, 2, seed=1) for index in (1, 2))
    assert first.dtype == np.uint16 and first.shape == (1, 2, SIZE, SIZE)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("kind", "digest"),
    [
        ("dark", "9142e719c3303ae7cff94867c0c1fa9cc13dff5f7738b34e0fbc7d26cf574276"),
        ("flat", "ed3cdbc3401a76e5df121f7333d44c69c3e8a3d6663a508335dd25f7656142da"),
    ],
)
def test_demo_stays_what_it_was(detector, kind, digest):
    """Measured results in the documents rest on these very exposures."""
    counts = ramps.simulate_exposure(detector, kind, 1, 1, 3, seed=1)
    assert hashlib.sha256(counts.tobytes()).hexdigest() == digest


def test_planted_pixels_behave(detector):
    dark = ramps.simulate_exposure(detector, "dark", 1, 1, 20, seed=1)[0].astype(float)
    flat = ramps.simulate_exposure(detector, "flat", 1, 1, 20, seed=1)[0].astype(float)

    def at(cube, name):
        pixels = detector.planted_as(name)
        return cube[..., pixels["y"], pixels["x"]]

    flat_signal = flat[-1] - flat[0]
    typical = np.median(flat_signal[~detector.reference])
    assert (at(flat_signal, "dead") < 0.1 * typical).all()
    assert (at(flat_signal, "low_qe") < 0.5 * typical).all()
    assert (at(dark, "hot_saturated")[0] >= at(detector.saturation_dn, "hot_saturated")).all()
    assert (at(dark[-1] - dark[0], "hot") > 19 * 30).all()
    assert (at(dark[0] - detector.bias_dn, "rc") > 300).all()
    assert (at(dark[0] - detector.bias_dn, "low_pedestal") < -400).all()
    assert (at(np.abs(np.diff(dark, axis=0)) > 40, "telegraph").sum(axis=0) >= 7).all()
    noise = np.diff(dark, axis=0).std(axis=0)
    assert np.median(at(noise, "noisy")) > 5 * np.median(noise)


def test_healthy_reference_pixels_hold_no_signal(detector):
    flat = ramps.simulate_exposure(detector, "flat", 1, 1, 10, seed=1)[0].astype(float)
    assert abs(np.median((flat[-1] - flat[0])[detector.reference])) < 20


def test_compress_is_the_inverse_of_the_linearity_reference():
    measured = np.array([-500.0, 0.0, 20000.0], np.float32)
    true = np.where(measured > 0, measured + NONLINEARITY_PER_DN * measured**2, measured)
    assert ramps.compress(true, NONLINEARITY_PER_DN) == pytest.approx(measured, abs=0.05)


@pytest.mark.parametrize("fastaxis", [1, 2])
def test_readout_lines_run_along_the_fast_axis(fastaxis):
    geometry = headers.make_geometry("NIRCAM" if fastaxis == 1 else "NIRISS", 64)
    image = ramps.line_image(geometry, np.arange(64.0)[None, :])
    assert np.ptp(image, axis=1 if fastaxis == 1 else 0).max() == 0


def test_truth_agrees_with_the_plan(demo, detector):
    with fits.open(demo / "truth.fits") as hdus:
        assert np.array_equal(hdus["TRUTH"].data, truth_image(detector))
        assert np.array_equal(hdus["ADJ_OPEN"].data, adjacent_to_open(detector))
        names = {row["NAME"].strip(): row["EXPECTED"].strip() for row in hdus["TYPES"].data}
        assert len(hdus["PIXELS"].data) == len(detector.pixels)
        assert not hdus["DONTCARE"].data.any() and not hdus["UNLIT"].data.any()
        assert set(hdus["PIXELS"].data["bad_of_8"]) == {8, -1}
        around = chebyshev_neighbours(hdus["TRUTH"].data == CODES["open"])
    assert names["telegraph"] == "high_cr" and names["minority_rc"] == ""
    assert np.count_nonzero(around) == 9 * planted_count(DEMO.types[CODES["open"] - 1], AREA)
    assert len((demo / "truth.csv").read_text().splitlines()) == len(detector.pixels) + 1


def test_uncal_opens_as_a_strictly_valid_model(demo):
    from stdatamodels.jwst.datamodels import Level1bModel

    path = demo / "darks" / "jw09001001001_02101_00001_nis_uncal.fits"
    with Level1bModel(str(path), strict_validation=True) as model:
        model.validate()
        assert model.data.shape == (1, GROUPS, SIZE, SIZE) and model.data.dtype == np.uint16
        assert model.meta.exposure.type == "NIS_DARK"
        assert model.meta.filename == path.name
        assert (model.meta.subarray.name, model.meta.subarray.xstart) == ("SUB64", 1985)


@pytest.mark.parametrize("detector_name", headers.DETECTORS)
@pytest.mark.parametrize("kind", ["dark", "flat"])
def test_every_detector_has_valid_metadata(detector_name, kind):
    from stdatamodels.jwst.datamodels import Level1bModel

    from badpix.simulate.uncal import setattr_path

    instrument = headers.DETECTORS[detector_name][0]
    geometry = headers.make_geometry(instrument, detector=detector_name, subarray="FULL")
    with Level1bModel(strict_validation=True) as model:
        for key, value in headers.exposure_meta(geometry, kind, 1, 2, 30).items():
            setattr_path(model.meta, key, value)
        model.validate()


def test_cache_serves_every_reference(demo, monkeypatch):
    from crds.core import rmap

    monkeypatch.setenv("CRDS_PATH", str(demo / "crds_cache"))
    mappings = demo / "crds_cache" / "mappings" / "jwst"
    context = rmap.load_mapping(str(mappings / "jwst_0001.pmap"))  # verifies the checksums of all of them
    header = {
        "META.INSTRUMENT.NAME": "NIRISS",
        "META.INSTRUMENT.DETECTOR": "NIS",
        "META.SUBARRAY.NAME": "SUB64",
        "META.OBSERVATION.DATE": "2024-06-01",
        "META.OBSERVATION.TIME": "01:00:00",
    }
    served = {"superbias", "saturation", "gain", "readnoise", "linearity", "mask", "dark"}
    best = context.get_best_references(header, include=sorted(served))
    folder = demo / "crds_cache" / "references" / "jwst" / "niriss"
    assert {(folder / name).exists() for name in best.values()} == {True}
    absent = context.get_best_references(header, include=["ipc", "pars-jumpstep"])
    assert all(value.startswith("NOT FOUND n/a") for value in absent.values())


def test_mask_reference_flags_only_the_two_kinds_made_for_it(demo, detector):
    from stdatamodels.jwst.datamodels import MaskModel

    folder = demo / "crds_cache" / "references" / "jwst" / "niriss"
    with MaskModel(str(folder / "jwst_niriss_mask_0001.fits"), strict_validation=True) as model:
        dq = np.array(model.dq)
    flagged = np.isin(truth_image(detector), [CODES["crds_flagged_healthy"], CODES["crds_flagged_dead"]])
    assert np.array_equal(dq & PIXEL_FLAGS["DO_NOT_USE"] != 0, flagged)
    assert np.array_equal(dq & PIXEL_FLAGS["REFERENCE_PIXEL"] != 0, detector.reference)


def test_later_exposures_leave_truth_and_cache_alone(demo):
    before = {path: path.stat().st_mtime_ns for path in demo.rglob("*") if path.is_file()}
    main(demo, size=SIZE, darks=1, flats=0, integrations=1, groups=GROUPS, first_dark=3)
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert len(list((demo / "darks").iterdir())) == 3


def test_another_detector_is_not_mixed_in(demo):
    with pytest.raises(ValueError, match="another detector"):
        main(demo, size=SIZE, darks=1, flats=0, seed=2)


def test_config_points_to_the_demo(tmp_path):
    import yaml

    from simulate import write_config

    write_config(tmp_path / "config.yaml", "my demo")
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == {
        "darks": "my demo/darks",
        "flats": "my demo/flats",
        "results": "my demo/results",
        "crds_path": "my demo/crds_cache",
        "crds_server_url": "https://jwst-serverless.invalid",
    }
