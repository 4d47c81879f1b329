"""The script: files of truth and runs, the printed tables, and the errors for files that do not fit."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table

import score
from badpix.formats.truth_file import read_truth
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.score.files import mask_of, read_findings
from badpix.score.text import side_by_side, strength_text, table_text, with_interval
from score import main, parse_arguments
from unit.score.test_score import BITS, make_findings, make_truth


def write_truth(path, truth, leave_out=()):
    """As simulate.py does."""
    images = {key: image.astype(np.int16) for key, image in truth.images().items()}
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(image, name=key) for key, image in images.items())]
    hdus += [fits.BinTableHDU(Table.from_pandas(truth.types), name="TYPES")]
    hdus += [fits.BinTableHDU(Table.from_pandas(truth.pixels), name="PIXELS")]
    fits.HDUList([hdu for hdu in hdus if hdu.name not in leave_out]).writeto(path)


def write_run(directory, findings, leave_out=(), mask="test_bpm.fits"):
    """As the vote does."""
    from stdatamodels.jwst.datamodels import MaskModel

    directory.mkdir()
    bits = Table({"BIT": list(findings.bits.values()), "TYPE": list(findings.bits)})
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(findings.found, name="FOUND")]
    hdus += [fits.ImageHDU(findings.insufficient, name="INSUFFICIENT")]
    hdus += [fits.ImageHDU(findings.intermittent, name="INTERMITTENT"), fits.BinTableHDU(bits, name="TYPES")]
    fits.HDUList([hdu for hdu in hdus if hdu.name not in leave_out]).writeto(directory / "evidence.fits")
    with MaskModel(dq=findings.dq) as model:
        model.dq_def = [(flag.bit_length() - 1, flag, name, name) for name, flag in PIXEL_FLAGS.items()]
        model.save(str(directory / mask))


@pytest.fixture
def files(tmp_path):
    write_truth(tmp_path / "truth.fits", make_truth())
    write_run(tmp_path / "good", make_findings())
    nothing = np.zeros_like(make_findings().found)
    write_run(tmp_path / "blind", make_findings(found=nothing, dq=nothing))
    return tmp_path


def arguments(files, *more):
    return parse_arguments(["--truth", str(files / "truth.fits"), *map(str, more)])


class TestReading:
    def test_truth_comes_back(self, files):
        truth, planted = read_truth(files / "truth.fits"), make_truth()
        for key, image in planted.images().items():
            np.testing.assert_array_equal(truth.images()[key], image)
        columns = ["x", "y", "type", "strength", "bad_of_8", "group"]
        assert truth.pixels[columns].values.tolist() == planted.pixels[columns].values.tolist()
        assert truth.types.values.tolist() == planted.types.values.tolist()

    def test_older_truth(self, tmp_path):
        write_truth(tmp_path / "old.fits", make_truth(), leave_out=("DONTCARE", "UNLIT", "PIXELS"))
        truth = read_truth(tmp_path / "old.fits")
        assert truth.charge_reached is None and truth.not_lit is None and len(truth.pixels) == 6

    def test_findings_come_back(self, files):
        findings, written = (
            read_findings(files / "good" / "evidence.fits", files / "good" / "test_bpm.fits"),
            make_findings(),
        )
        assert findings.bits == BITS
        for name in ("found", "dq", "insufficient", "intermittent"):
            np.testing.assert_array_equal(getattr(findings, name), getattr(written, name))

    def test_older_evidence(self, tmp_path):
        write_run(tmp_path / "old", make_findings(), leave_out=("INTERMITTENT",))
        assert (
            read_findings(tmp_path / "old" / "evidence.fits", tmp_path / "old" / "test_bpm.fits").intermittent is None
        )

    @pytest.mark.parametrize("name", ["TYPES", "FOUND", "INSUFFICIENT"])
    def test_evidence_without(self, tmp_path, name):
        write_run(tmp_path / "run", make_findings(), leave_out=(name,))
        with pytest.raises(ValueError, match=rf"evidence.fits has no extension {name}; it has .*INTERMITTENT"):
            read_findings(tmp_path / "run" / "evidence.fits", tmp_path / "run" / "test_bpm.fits")

    def test_table_without_a_column(self, files):
        with fits.open(files / "truth.fits", mode="update") as hdus:
            hdus["TYPES"].columns.change_name("EXPECTED", "WANTED")
        with pytest.raises(
            ValueError, match="truth.fits: table TYPES lacks column EXPECTED; it has CODE, NAME, WANTED"
        ):
            read_truth(files / "truth.fits")

    def test_mask_of_a_directory(self, files):
        assert mask_of(files / "good") == files / "good" / "test_bpm.fits"
        (files / "good" / "other_bpm.fits").touch()
        with pytest.raises(ValueError, match="there are: other_bpm.fits, test_bpm.fits; name it with --mask"):
            mask_of(files / "good")
        with pytest.raises(ValueError, match="there are: none"):
            mask_of(files)


class TestOneMask:
    def test_prints_and_writes(self, files, capsys):
        mask = files / "good" / "test_bpm.fits"
        options = ("--evidence", files / "good" / "evidence.fits", "--mask", mask, "--csv", files / "out.csv")
        tables = main(**arguments(files, *options))
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == f"mask: {mask}"
        # planted, expected, found, completeness, purity, found_any, flagged, do_not_use, insufficient
        expected = ["dead", "3", "DEAD", "2", "0.667", "[0.208,", "0.939]", "0.333", "2", "2", "2", "1"]
        assert expected in [line.split() for line in lines]
        assert ["dead", "response", "0.3", "0.1", "not", "reached", "not", "reached"] in [
            line.split() for line in lines
        ]
        assert ["(all)", "5", "1", "0", "1", "0"] in [line.split() for line in lines]
        assert not any(line.startswith("intermittent_rc  ") and " 5 " in line for line in lines)
        written = pd.read_csv(files / "out.csv")
        assert written["type"].tolist() == ["dead", "hot", "intermittent_rc", "next to open"]
        assert written["found"].tolist() == tables["completeness"]["found"].tolist()

    def test_lists_the_detection_types_that_the_run_does_not_have(self, files, capsys):
        found = make_findings().found & np.uint32(2)
        write_run(
            files / "flats",
            make_findings(found=found, bits={"DEAD": 1}, insufficient=0 * found, intermittent=0 * found),
        )
        main(**arguments(files, "--run", f"flats={files / 'flats'}"))
        assert "flats: lacks the detection types hot" in capsys.readouterr().out


class TestSeveralRuns:
    def test_side_by_side(self, files, capsys):
        runs = ("--run", f"good={files / 'good'}", "--run", f"blind={files / 'blind'}")
        more = (
            "--csv",
            files / "tables",
            "--plot",
            files / "curves.png",
            "--limit",
            "dead=0.2",
            "--accept",
            "hot=hot,warm",
        )
        tables = main(**arguments(files, *runs, *more))
        lines = capsys.readouterr().out.splitlines()
        assert ["good", "blind"] in [line.split() for line in lines]
        row = next(line.split() for line in lines if line.split()[:3] == ["hot", "1", "hot|warm"])
        assert row[3] == "1.000" and "0.000" in row
        assert {path.stem for path in (files / "tables").iterdir()} == tables.keys()
        written = pd.read_csv(files / "tables" / "completeness.csv").set_index(["run", "type"])
        assert written.loc[("good", "dead"), "strong_found"] == 2 and written.loc[("blind", "dead"), "found"] == 0
        assert (files / "curves.png").stat().st_size > 10000

    def test_overview(self, files, capsys):
        """Counts by hand: two of three dead found, with four in error; the hot pixel is called warm."""
        runs = ("--run", f"good={files / 'good'}", "--run", f"blind={files / 'blind'}", "--csv", files / "tables")
        main(**arguments(files, *runs, "--overview"))
        text = capsys.readouterr().out
        cells = [line.split() for line in text.splitlines()]
        assert cells[:2] == [["good", "blind"], ["type", "planted", *["pixels", "completeness", "purity"] * 2]]
        assert ["DEAD", "3", "6", "0.667", "0.333", "0", "0.000"] in cells
        assert ["hot", "1", "2", "0.000", "0.000", "0", "0.000"] in cells
        assert ["DO_NOT_USE", "12", "0"] in cells and ["HOT", "1", "0"] in cells
        healthy = cells.index(next(line for line in cells if line[:2] == ["healthy", "pixels"]))
        assert cells[healthy + 1][:2] == ["with", "any"] and cells[healthy + 2] == ["with", "DO_NOT_USE", "3", "0"]
        assert "  good, missed: 1 of 3 dead, 1 of 1 hot, 1 of 3 next to open" in text
        assert (
            "  good, found as DEAD in error: healthy 3, intermittent_rc 1" in text
            and "  blind, missed: 3 of 3 dead" in text
        )
        assert max(map(len, text.splitlines()[: healthy + 3])) <= 90
        assert "[95%]" in (files / "tables" / "score.txt").read_text(encoding="utf-8") and "[95%]" not in text

    def test_overview_of_one_mask(self, files):
        one = ("--evidence", files / "good" / "evidence.fits", "--mask", files / "good" / "test_bpm.fits")
        with pytest.raises(ValueError, match="--overview needs --run"):
            main(**arguments(files, *one, "--overview"))

    def test_pooled(self, files):
        truths = ("--truth", files / "truth.fits")
        runs = [f"one={files / 'good'}", f"one={files / 'blind'}"]
        tables = main(**arguments(files, *truths, "--run", runs[0], "--run", runs[1]))
        dead = tables["completeness"].set_index("type").loc["dead"]
        assert (dead.planted, dead.found) == (6, 2)
        assert tables["healthy"]["healthy"].unique() == [76]

    def test_mask_by_name(self, files):
        (files / "good" / "test_bpm.fits").rename(files / "mask.fits")
        tables = main(**arguments(files, "--run", f"a={files / 'good'}", "--mask", files / "mask.fits"))
        assert tables["completeness"]["flagged"].tolist() == [2, 1, 1, 3]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ((), "either --evidence and --mask, or --run"),
            (("--run", "a=good", "--evidence", "e"), "either --evidence and --mask, or --run"),
            (("--evidence", "e"), "one --truth and one --mask, not 1 and 0"),
            (("--run", "a=good", "--run", "a=blind"), r"--run a: more runs than truths \(1\)"),
            (("--run", "a=good", "--truth", "truth.fits"), "--run a: 1 for 2 truths"),
            (("--run", "a=good", "--mask", "m", "--mask", "n"), "2 --mask for 1 --run"),
            (("--run", "a=good", "--csv", "truth.fits"), "with --run it is a directory"),
            (("--run", "a=good", "--limit", "hott=3"), "limits: unknown planted type hott; the truth has dead, hot"),
        ],
    )
    def test_what_does_not_go_together(self, files, monkeypatch, options, message):
        monkeypatch.chdir(files)
        with pytest.raises(ValueError, match=message):
            main(**arguments(files, *options))

    @pytest.mark.parametrize("option", [("--run", "good"), ("--limit", "hot=much"), ("--accept", "=hot")])
    def test_malformed_options(self, files, option, capsys):
        with pytest.raises(SystemExit):
            arguments(files, *option)
        assert option[0] in capsys.readouterr().err


class TestText:
    def test_columns_are_aligned_and_runs_above(self):
        table = pd.DataFrame({"run": ["a", "b", "b"], "type": ["x", "x", "yy"], "n": [5, 12, 3]})
        wide = side_by_side(table, ["type"], {"n": lambda rows: rows["n"].astype("Int64")})
        assert table_text(wide).splitlines() == ["      a  b", "type  n   n", "x     5  12", "yy        3"]

    def test_interval(self):
        table = pd.DataFrame({"share": [0.5, np.nan], "low": [0.25, np.nan], "high": [0.75, np.nan]})
        assert with_interval(table, "share").tolist() == ["0.500 [0.250, 0.750]", ""]
        table = pd.DataFrame({"share": [12.0, 3], "low": [1.0, 1], "high": [20.0, 4]})
        assert with_interval(table, "share", "{:.0f}").tolist() == ["12 [1, 20]", " 3 [1, 4]"]

    @pytest.mark.parametrize(
        ("value", "text"), [(6170.3, "6170"), (0.011239, "0.0112"), (1.52e6, "1.52e+06"), (73.44, "73.4")]
    )
    def test_strength(self, value, text):
        assert strength_text(value) == text


def test_older_names_stay():
    """Other tests and users of the script read the truth through it."""
    assert score.read_truth is read_truth
