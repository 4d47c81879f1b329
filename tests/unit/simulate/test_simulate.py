"""The demo simulator: planted pixels, ramps, names and headers, truth, and the CRDS cache. No pipeline run here."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from badpix.instrument.dq import PIXEL_FLAGS
from badpix.instrument.pointing import distance
from badpix.simulate import headers, ramps
from badpix.simulate.detector import make_detector
from badpix.simulate.exposure import Exposure, split_integrations
from badpix.simulate.planting import planted_count
from badpix.simulate.populations import DEMO
from badpix.simulate.simulation import Simulation
from badpix.simulate.sky import PIXEL_DEG, Sky, star
from badpix.simulate.static_maps import NONLINEARITY_PER_DN
from badpix.simulate.truth import adjacent_to_open, truth_image
from simulate import main, parse_arguments

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
    main(folder, Simulation(size=SIZE, darks=2, flats=1, integrations=1, groups=GROUPS))
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
def test_geometry_of_squares(instrument, detector_name, size, subarray, start):
    geometry = headers.make_geometry(instrument, size, detector_name)
    assert (geometry.subarray, geometry.xstart, geometry.ystart) == (subarray, start, start)
    assert geometry.noutputs == (4 if size == 2048 else 1)


@pytest.mark.parametrize(
    ("instrument", "arguments", "expected"),
    [
        ("NIRISS", {}, ("NIS", "SUB256", 256, 256, 1793, 1793, 1, 0.68876, "NISRAPID")),
        ("MIRI", {}, ("MIRIMAGE", "SUB256", 256, 256, 413, 51, 4, 0.29952, "FASTR1")),
        ("MIRI", {"subarray": "SUB64"}, ("MIRIMAGE", "SUB64", 72, 64, 1, 779, 4, 0.08512, "FASTR1")),
        ("MIRI", {"size": 1024}, ("MIRIMAGE", "FULL", 1032, 1024, 1, 1, 4, 2.77504, "FASTR1")),
        ("NIRSPEC", {"subarray": "SUB512"}, ("NRS1", "SUB512", 512, 32, 1025, 975, 1, 0.22572, "NRSRAPID")),
        ("NIRSPEC", {"size": 256, "detector": "NRS2"}, ("NRS2", "SUB2048", 2048, 32, 1, 975, 1, 0.90156, "NRSRAPID")),
        (
            "NIRSPEC", {"subarray": "FULL", "readpatt": "NRSIRS2RAPID"},
            ("NRS1", "FULL", 2048, 2048, 1, 1, 5, 14.5889, "NRSIRS2RAPID"),
        ),
    ],
)  # fmt: skip
def test_geometry(instrument, arguments, expected):
    """Sizes, positions and frame times agree with the observatory."""
    g = headers.make_geometry(instrument, **arguments)
    found = g.detector, g.subarray, g.n_columns, g.n_rows, g.xstart, g.ystart, g.noutputs, g.frame_time_s, g.readpatt
    assert found == expected


def test_full_frame_time_is_that_of_the_real_detectors():
    assert headers.make_geometry("NIRCAM", 2048).frame_time_s == pytest.approx(10.73677, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 100}, "sizes known"),
        ({"size": 64, "detector": "NRCA1"}, "not a detector of NIRISS"),
        ({"subarray": "SUB63"}, "no subarray 'SUB63'"),
        ({"size": 64, "subarray": "SUB64"}, "not both"),
        ({"readpatt": "FASTR1"}, "not a pattern of NIRISS: NISRAPID"),
        ({"instrument": "NIRSPEC", "subarray": "SUB512", "readpatt": "NRSIRS2RAPID"}, "reads the full frame only"),
    ],
)
def test_impossible_geometry_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        headers.make_geometry(**{"instrument": "NIRISS"} | arguments)


def test_reference_pixels_of_miri():
    from badpix.simulate.detector import reference_pixels

    full = reference_pixels(headers.make_geometry("MIRI", subarray="FULL"))
    assert full.shape == (1024, 1032)
    assert full[:, :4].all() and full[:, -4:].all() and not full[:, 4:-4].any()
    small = reference_pixels(headers.make_geometry("MIRI", subarray="SUB64"))
    assert small[:, :4].all() and not small[:, 4:].any()
    assert not reference_pixels(headers.make_geometry("MIRI", subarray="SUB256")).any()


def test_outputs_of_miri_alternate():
    geometry = headers.make_geometry("MIRI", subarray="SUB64")
    image = ramps.line_image(geometry, np.arange(4)[:, None] + 10 * np.arange(64)[None, :])
    assert np.array_equal(image[0, :6], [0, 1, 2, 3, 0, 1])
    assert np.array_equal(image[:3, 0], [0, 10, 20])


def test_miri_ramps_have_the_effects_that_reset_rscd_and_lastframe_handle():
    model = make_detector(headers.make_geometry("MIRI", subarray="SUB64"), seed=1)
    counts = ramps.simulate_exposure(model, Exposure("dark", 1, 2, 20), seed=1).astype(float)
    level = np.median((counts - model.bias_dn)[..., truth_image(model) == 0], axis=-1)
    level -= level[:, 10:19].mean(axis=1, keepdims=True)
    assert level[0, 0] == pytest.approx(-60, abs=5)
    assert level[1, 0] == pytest.approx(20, abs=5)  # RSCD adds 80 DN to all integrations but the first
    assert level[:, -1] == pytest.approx([-30, -30], abs=5)
    assert abs(level[:, 8:-1]).max() < 5


@pytest.mark.parametrize("detector_name", ["NRS1", "NRS2"])
def test_reads_between_irs2_rows(detector_name):
    """Pixels in the rows of pixels; between them the common drift and the 1/f noise of their own amplifier."""
    from badpix.instrument.irs2 import science_rows

    geometry = headers.make_geometry("NIRSPEC", None, detector_name, "FULL", "NRSIRS2RAPID")
    rng = np.random.default_rng(1)
    science = np.full((2, 2048, 2048), 30000, np.uint16)
    lines = rng.normal(0, 100, (4, 2, 2048)).astype(np.float32)
    raw = ramps.with_reference_reads(geometry, science, np.array([0.0, 500.0]), lines, rng)
    rows = science_rows(detector_name)
    assert raw.shape == (2, 3200, 2048) and raw.dtype == np.uint16
    assert (raw[:, rows] == 30000).all()
    assert np.median(raw[:, ~rows], axis=(1, 2)) == pytest.approx([11000, 11500], abs=20)
    start = 0 if detector_name == "NRS2" else 640  # of the amplifier that reads the first rows of pixels
    own = start + np.flatnonzero(~rows[start : start + 640])
    noise = ramps.line_image(geometry, lines[:, 0])[0]
    assert len(own) == 128
    assert np.corrcoef(raw[0, own].mean(axis=0), noise)[0, 1] > 0.99


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
    paths = main(tmp_path, Simulation(size=SIZE, darks=1, flats=0, integrations=1, groups=GROUPS, first_dark=2))
    twin = demo / "darks" / paths[0].name
    assert np.array_equal(fits.getdata(paths[0], "SCI"), fits.getdata(twin, "SCI"))


def test_exposures_differ(detector):
    first, second = (ramps.simulate_exposure(detector, Exposure("dark", index, 1, 2), seed=1) for index in (1, 2))
    assert first.dtype == np.uint16 and first.shape == (1, 2, SIZE, SIZE)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("kind", "digest"),
    [
        ("dark", "9142e719c3303ae7cff94867c0c1fa9cc13dff5f7738b34e0fbc7d26cf574276"),
        ("flat", "ed3cdbc3401a76e5df121f7333d44c69c3e8a3d6663a508335dd25f7656142da"),
    ],
)
def test_demo_is_unchanged(detector, kind, digest):
    """The measured results in the documents are of these exposures."""
    counts = ramps.simulate_exposure(detector, Exposure(kind, 1, 1, 3), seed=1)
    assert hashlib.sha256(counts.tobytes()).hexdigest() == digest


def test_planted_pixels_behave(detector):
    dark = ramps.simulate_exposure(detector, Exposure("dark", 1, 1, 20), seed=1)[0].astype(float)
    flat = ramps.simulate_exposure(detector, Exposure("flat", 1, 1, 20), seed=1)[0].astype(float)

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
    flat = ramps.simulate_exposure(detector, Exposure("flat", 1, 1, 10), seed=1)[0].astype(float)
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
        for key, value in headers.exposure_meta(geometry, Exposure(kind, 1, 2, 30)).items():
            setattr_path(model.meta, key, value)
        model.validate()


@pytest.mark.parametrize(
    ("instrument", "readpatt", "frames", "extension"),
    [("NIRCAM", "DEEP8", (8, 12), "ZEROFRAME"), ("NIRCAM", "BRIGHT1", (1, 1), None),
     ("MIRI", "FASTR1", (1, 0), "REFOUT")],
)  # fmt: skip
def test_groups_of_several_frames(tmp_path, instrument, readpatt, frames, extension):
    """A raw file of averaged groups: its keywords, ZEROFRAME, REFOUT, GROUP and INT_TIMES, and its noise."""
    size = 72 if instrument == "MIRI" else 64
    arguments = ["--out", str(tmp_path), "--instrument", instrument, "--size", "64", "--readpatt", readpatt]
    numbers = ["--darks", "1", "--flats", "0", "--integrations", "1", "--groups", "4"]
    (path,) = main(*parse_arguments([*arguments, *numbers]))
    with fits.open(path) as hdus:
        header, names = hdus[0].header, [hdu.name for hdu in hdus]
        counts = hdus["SCI"].data[0].astype(float)
        ends = hdus["GROUP"].data["end_milliseconds"]
        zero_frame = hdus["ZEROFRAME"].data[0].astype(float) if "ZEROFRAME" in names else None
        if extension == "REFOUT":
            assert hdus["REFOUT"].shape == (1, 4, 64, size // 4)
        length_s = (hdus["INT_TIMES"].data["int_end_MJD_UTC"] - hdus["INT_TIMES"].data["int_start_MJD_UTC"]) * 86400
    assert (header["NFRAMES"], header["GROUPGAP"]) == frames and header["FRMDIVSR"] == frames[0]
    assert header["TGROUP"] == pytest.approx(sum(frames) * header["TFRAME"])
    assert header["EFFINTTM"] == pytest.approx((4 * sum(frames) - frames[1]) * header["TFRAME"])
    assert length_s == pytest.approx(header["EFFINTTM"], rel=1e-3)
    assert [name for name in ("ZEROFRAME", "REFOUT") if name in names] == ([extension] if extension else [])
    assert header["ZEROFRAM"] == (extension == "ZEROFRAME")
    assert np.diff(ends) == pytest.approx(1000 * header["TGROUP"], abs=1)
    if zero_frame is not None:
        # The white noise of a group of m frames is that of a frame over the root of m.
        science = slice(4, -4)
        within = (counts[1] - counts[0])[science, science]
        single = np.sqrt(2) * 1.4826 * np.median(np.abs((zero_frame - counts[0])[science, science]))
        assert 1.4826 * np.median(np.abs(within - np.median(within))) < 0.85 * single


def test_cache_serves_every_reference(demo, monkeypatch):
    from crds.core import rmap

    monkeypatch.setenv("CRDS_PATH", str(demo / "crds_cache"))
    mappings = demo / "crds_cache" / "mappings" / "jwst"
    context = rmap.load_mapping(str(mappings / "jwst_0001.pmap"))  # verifies the checksums of all of them
    header = {
        "META.INSTRUMENT.NAME": "NIRISS",
        "META.INSTRUMENT.DETECTOR": "NIS",
        "META.SUBARRAY.NAME": "SUB64",
        "META.EXPOSURE.READPATT": "NISRAPID",
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
    main(demo, Simulation(size=SIZE, darks=1, flats=0, integrations=1, groups=GROUPS, first_dark=3))
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert len(list((demo / "darks").iterdir())) == 3


def test_another_detector_is_not_mixed_in(demo):
    with pytest.raises(ValueError, match="another detector"):
        main(demo, Simulation(size=SIZE, darks=1, flats=0, seed=2))


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


class TestSegments:
    """An exposure in several files."""

    @pytest.mark.parametrize(("n", "parts", "lengths"), [(4, 2, [2, 2]), (5, 2, [2, 3]), (3, 3, [1, 1, 1])])
    def test_split(self, n, parts, lengths):
        segments = split_integrations(n, parts)
        assert [s.last_integration - s.first_integration + 1 for s in segments] == lengths
        assert segments[0].first_integration == 1 and segments[-1].last_integration == n
        assert [s.number for s in segments] == list(range(1, parts + 1))

    def test_more_segments_than_integrations_are_refused(self):
        with pytest.raises(ValueError, match="2 integrations cannot be written in 3 segments"):
            split_integrations(2, 3)

    def test_files_hold_the_exposure(self, demo, tmp_path):
        """Together they are the exposure that one file holds, with the keywords of the observatory."""
        paths = main(tmp_path, Simulation(size=SIZE, darks=1, flats=0, integrations=3, groups=GROUPS, segments=2))
        assert [path.name for path in paths] == [
            "jw09001001001_02101_00001-seg001_nis_uncal.fits", "jw09001001001_02101_00001-seg002_nis_uncal.fits",
        ]  # fmt: skip
        found = [[fits.getheader(path)[key] for key in ("EXSEGNUM", "EXSEGTOT", "INTSTART", "INTEND", "NINTS")]
                 for path in paths]  # fmt: skip
        assert found == [[1, 2, 1, 2, 3], [2, 2, 3, 3, 3]]
        model = make_detector(headers.make_geometry("NIRISS", SIZE), seed=1)
        whole = ramps.simulate_exposure(model, Exposure("dark", 1, 3, GROUPS), seed=1)
        assert np.array_equal(np.concatenate([fits.getdata(path, "SCI") for path in paths]), whole)
        numbers = [fits.getdata(path, "INT_TIMES")["integration_number"].tolist() for path in paths]
        assert numbers == [[1, 2], [3]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    few = {"darks": 1, "flats": 0, "integrations": 1, "groups": 2}
    main(folder, Simulation(64, instrument="NIRCAM", detectors=("NRCA1", "NRCB4"), **few))
    main(folder, Simulation(instrument="MIRI", subarray="SUB64", **few))
    main(folder, Simulation(64, instrument="NIRCAM", detectors=("NRCALONG",), **few))
    return folder


class TestSeveralDetectors:
    """Several detectors in one folder and one cache."""

    def test_each_has_its_own_truth(self, folder):
        names = ["truth.fits", "truth_mirimage.fits", "truth_nrcalong.fits", "truth_nrcb4.fits"]
        assert sorted(path.name for path in folder.glob("truth*.fits")) == names
        assert [fits.getval(folder / name, "DETECTOR") for name in names] == ["NRCA1", "MIRIMAGE", "NRCALONG", "NRCB4"]
        assert len(list((folder / "darks").iterdir())) == 4
        assert fits.getval(folder / "truth_nrcb4.fits", "SEED") == 2
        first, second = (fits.getdata(folder / name, "TRUTH") for name in ("truth.fits", "truth_nrcb4.fits"))
        assert not np.array_equal(first, second)

    def test_config_asks_for_all(self, folder):
        import yaml

        assert yaml.safe_load((folder / "config.yaml").read_text())["detectors"] == "all"

    @pytest.mark.parametrize(
        ("instrument", "detector_name", "subarray", "served", "absent"),
        [
            ("NIRCAM", "NRCA1", "SUB64P", "gain", "reset"),
            ("NIRCAM", "NRCB4", "SUB64P", "linearity", "refpix"),
            ("NIRCAM", "NRCALONG", "SUB64P", "mask", "rscd"),
            ("MIRI", "MIRIMAGE", "SUB64", "reset", "superbias"),
            ("MIRI", "MIRIMAGE", "SUB64", "rscd", "refpix"),
        ],
    )
    def test_cache_serves_each(self, folder, instrument, detector_name, subarray, served, absent, monkeypatch):
        from crds.core import rmap

        monkeypatch.setenv("CRDS_PATH", str(folder / "crds_cache"))
        context = rmap.load_mapping(str(folder / "crds_cache" / "mappings" / "jwst" / "jwst_0001.pmap"))
        header = {
            "META.INSTRUMENT.NAME": instrument, "META.INSTRUMENT.DETECTOR": detector_name,
            "META.SUBARRAY.NAME": subarray, "META.EXPOSURE.READPATT": "FASTR1", "META.EXPOSURE.TYPE": "NRC_DARK",
            "META.OBSERVATION.DATE": "2024-06-01", "META.OBSERVATION.TIME": "01:00:00",
        }  # fmt: skip
        best = context.get_best_references(header, include=[served, absent])
        assert best[absent].startswith("NOT FOUND n/a")
        file = folder / "crds_cache" / "references" / "jwst" / instrument.lower() / best[served]
        assert fits.getval(file, "DETECTOR") == detector_name


def test_bad_reference_pixels_change_no_other_value(demo, tmp_path):
    main(tmp_path, Simulation(size=SIZE, darks=1, flats=0, integrations=1, groups=GROUPS, bad_reference_pixels=5))
    planted = pd.read_csv(tmp_path / "truth_reference_pixels.csv")
    assert planted["type"].value_counts().to_dict() == {"noisy": 5, "offset": 5, "railed": 5}
    (path,) = (tmp_path / "darks").glob("*.fits")
    before, after = (fits.getdata(folder / "darks" / path.name, "SCI") for folder in (demo, tmp_path))
    changed = {(int(x), int(y)) for y, x in np.argwhere((before != after).any(axis=(0, 1)))}
    assert changed == set(zip(planted["x"], planted["y"], strict=True))
    railed = planted[planted["type"] == "railed"]
    assert (after[:, :, railed["y"], railed["x"]] == railed["strength"].to_numpy()).all()
    with pytest.raises(ValueError, match="150 bad reference pixels are too many for an array with 496"):
        main(tmp_path / "many", Simulation(size=SIZE, darks=1, flats=0, bad_reference_pixels=50))


def test_stars_of_the_sky_move_with_the_pointing():
    sky, shape = Sky("NIS_IMAGE", n_stars=5, dither_px=20.0), (64, 64)
    (y1, x1), (y2, x2) = sky.offset(1, 7), sky.offset(2, 7)
    first, second = sky.stars(shape, 1, 7), sky.stars(shape, 2, 7)
    moved = np.roll(first, (round(y2 - y1), round(x2 - x1)), (0, 1))
    inner = slice(30, 34)
    assert np.corrcoef(moved[inner, inner].ravel(), second[inner, inner].ravel())[0, 1] > 0.5
    assert sky.stars(shape, 1, 7).sum() == first.sum() and not np.array_equal(first, second)
    metas = [dict(sky.meta(index, 7)) for index in (1, 2)]
    header = [{"CRVAL1": m["wcsinfo.crval1"], "CRVAL2": m["wcsinfo.crval2"], "CDELT1": PIXEL_DEG} for m in metas]
    assert distance(*header) == pytest.approx(np.hypot(y2 - y1, x2 - x1), rel=1e-3)
    assert star(0.2, -0.3).sum() == pytest.approx(1, abs=0.02)


def test_an_exposure_of_the_sky_has_its_type_and_pointing(tmp_path):
    main(tmp_path, Simulation(SIZE, darks=0, flats=1, integrations=1, groups=GROUPS, sky=Sky("NIS_EXTCAL", 5)))
    (path,) = (tmp_path / "flats").glob("*_uncal.fits")
    with fits.open(path) as hdus:
        assert hdus[0].header["EXP_TYPE"] == "NIS_EXTCAL" and hdus[0].header["INTARGET"] is False
        assert 79 < hdus["SCI"].header["CRVAL1"] < 81 and hdus["SCI"].header["RA_V1"] == hdus["SCI"].header["CRVAL1"]
    assert 'flat_exp_types: ["NIS_EXTCAL"]' in (tmp_path / "config.yaml").read_text()
    assert parse_arguments(["--out", "x", "--sky", "NRC_IMAGE", "--stars", "9"])[1].sky == Sky("NRC_IMAGE", 9)
    assert parse_arguments(["--out", "x"])[1].sky is None
