"""Fetch from a loopback server that answers as MAST does, with the faults of real servers."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from astroquery.mast import utils

import simulate
from badpix.archive import cloud
from badpix.archive.fetch import fetch, listing
from badpix.archive.index import INDEX, WORK, locked, read_index, write_index
from badpix.archive.request import FetchError, request_from
from badpix.archive.session import TOKEN_VARIABLE, Patience
from badpix.config.check import load_schema, load_steps, validated
from badpix.instrument.detectors import load_detectors
from badpix.simulate.archive_server import serving
from badpix.simulate.simulation import Simulation

PROJECT = Path(__file__).resolve().parents[3]
# Faults are followed by a repeat at once.
QUICK = Patience(repeats=2, pause_s=0.0, connect_s=5.0, read_s=5.0)
DARK = "jw09001001001_02101_0000{}-seg00{}_nis_uncal.fits"
FLAT = "jw09002001001_03101_00001-seg00{}_nis_uncal.fits"
NAMES = [DARK.format(exposure, segment) for exposure in (1, 2) for segment in (1, 2)] + [FLAT.format(1), FLAT.format(2)]
SECRET = "0123456789abcdef-the-token"


@pytest.fixture(scope="session")
def raw_files(tmp_path_factory):
    """Raw files of NIS: two darks and a flat in two segments each. Read only."""
    folder = tmp_path_factory.mktemp("archive")
    simulate.main(folder, Simulation(64, groups=4, darks=2, flats=1, segments=2))
    return folder


@pytest.fixture
def mast(raw_files, tmp_path, monkeypatch):
    """The server of a copy of `raw_files`, and `run` and `say` of a fetch into tmp_path/data."""
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    for kind in ("darks", "flats"):
        shutil.copytree(raw_files / kind, tmp_path / "archive" / kind)
    with serving(tmp_path / "archive") as server:
        lines = []

        def run(call=fetch, **keys):
            lines.clear()
            config = configured(tmp_path, server, **keys)
            return call(requested(config), config, lines.append, QUICK)

        yield SimpleNamespace(server=server, run=run, lines=lines, darks=tmp_path / "data" / "darks", folder=tmp_path)


def configured(folder, server, mast=None, **keys):
    """A validated configuration with the folders data/darks and data/flats."""
    settings = {"detectors": ["NIS"], "start": "2024-01-01", "connections": 1, "server": server.url} | (mast or {})
    data = folder / "data"
    given = {"darks": str(data / "darks"), "flats": str(data / "flats"), "mast": settings} | keys
    schemas = PROJECT / "config" / "schemas"
    return validated(given, load_schema(schemas / "config.schema.yaml"), load_steps(schemas / "detector1_steps.json"))


def requested(config):
    return request_from(config, load_detectors(PROJECT / "config" / "detectors"))


def fetched(mast):
    """The names of the raw files in both folders; each must be the file of the archive."""
    paths = sorted((mast.folder / "data").rglob("*.fits"))
    assert all(path.read_bytes() == mast.server.files()[path.name].read_bytes() for path in paths)
    return [path.name for path in paths]


def downloads(mast, name=""):
    """The requests of files, or of file `name`, since the last call."""
    found = [line for line in mast.server.requests if "Download" in line and name in line]
    mast.server.requests.clear()
    return found


def parts(mast):
    return sorted(path.name for path in mast.darks.glob(f"{WORK}/*.part"))


def test_all_new_files_are_fetched_once(mast):
    outcome = mast.run()
    assert (outcome.n_files, outcome.warnings) == (6, []) and fetched(mast) == NAMES
    assert "darks of NIS (NIS_DARK)" in mast.lines[0] and "4 files in MAST, 4 new" in mast.lines[0]
    row = read_index(mast.darks)[NAMES[0]]
    assert row.size == (mast.darks / NAMES[0]).stat().st_size and row.exposure == "jw09001001001_02101_00001_nis"
    downloads(mast)
    mast.run()
    assert mast.lines[-1] == "no new exposures" and downloads(mast) == []
    # The next run of a cron job brings what the archive has received since.
    new = "jw09001001001_02101_00003_nis_uncal.fits"
    simulate.main(mast.server.folder, Simulation(64, groups=4, darks=1, flats=0, first_dark=3))
    assert mast.run().n_files == 1 and new in fetched(mast) and len(downloads(mast)) == 1


def test_the_answer_of_a_search_in_pages_is_read_to_its_end(mast):
    mast.server.page_size = 1
    mast.run()
    assert fetched(mast) == NAMES


def test_a_list_brings_no_files(mast):
    plan = mast.run(listing)
    assert len(plan.fetch) == 3 and not (mast.folder / "data").exists() and downloads(mast) == []
    assert any(line.split() == [NAMES[0], "NIS_DARK", "2024-06-01", "0.000", "GB"] for line in mast.lines)


@pytest.mark.parametrize("suffix", ["rate", "dark", "cal"])
def test_raw_files_are_found_by_the_products_of_their_exposures(mast, suffix):
    mast.server.lists_raw_files, mast.server.calibrated_suffix = False, suffix
    mast.run()
    assert fetched(mast) == NAMES
    row = read_index(mast.darks)[NAMES[0]]
    assert row.uri == f"mast:JWST/product/{NAMES[0]}" and row.listed_size == row.size and row.listed_checksum == ""
    mast.run()
    assert mast.lines[-1] == "no new exposures"


def test_exposures_without_raw_files_are_named(mast):
    mast.server.lists_raw_files = False
    mast.server.no_raw_file = set(NAMES[:2])
    mast.run(listing)
    assert any(
        "Warning: darks of NIS (NIS_DARK): MAST lists no raw file of jw0900100100" in line for line in mast.lines
    )
    mast.server.no_raw_file = set(NAMES[:4])
    with pytest.raises(
        FetchError, match=r"darks of NIS \(NIS_DARK\): MAST lists 4 files, such as jw.*_rate.fits, and no"
    ):
        mast.run(listing)


def test_combined_products_alone_are_an_error(mast):
    for name in NAMES:
        mast.server.changed[name] = {"filename": "jw09001-o001_t001_niriss_clear_i2d.fits"}
    with pytest.raises(FetchError, match="no raw file"):
        mast.run(listing)


@pytest.mark.parametrize("lists_raw_files", [True, False])
def test_dates_may_be_milliseconds(mast, lists_raw_files):
    mast.server.ticks, mast.server.lists_raw_files = True, lists_raw_files
    mast.run(mast={"start": "2024-07-01"})
    assert fetched(mast) == NAMES[4:]
    mast.run()
    assert fetched(mast) == NAMES and read_index(mast.darks)[NAMES[0]].date_obs.startswith("2024-06-01T")


@pytest.mark.parametrize("column", ["date_obs", "publicReleaseDate"])
def test_a_date_that_cannot_be_read_is_an_error(mast, column):
    mast.server.changed[NAMES[0]] = {column: "June 2024"}
    with pytest.raises(FetchError, match=f"{column} is 'June 2024', neither a time as YYYY-MM-DDTHH:MM:SS nor"):
        mast.run(listing)


def test_the_mjd_is_used_without_a_date(mast):
    mast.server.changed[NAMES[0]] = {"date_obs": None}
    mast.run()
    assert fetched(mast) == NAMES and read_index(mast.darks)[NAMES[0]].date_obs.startswith("2024-06-01T")
    mast.server.changed[NAMES[0]] = {"date_obs": None, "date_obs_mjd": None}
    with pytest.raises(FetchError, match="cannot be searched for darks of NIS"):
        mast.run(listing)


def test_rows_that_do_not_match_are_counted(mast):
    mast.server.changed[NAMES[0]] = {"date_obs": "2023-12-31T23:59:59"}
    mast.run(listing)
    assert "darks of NIS (NIS_DARK): 1 of the 4 files that MAST listed do not match, and are left out" in mast.lines


def test_dates_and_subarrays_limit_the_search(mast):
    mast.run(mast={"start": "2024-07-01"})
    assert fetched(mast) == NAMES[4:]
    mast.run(mast={"end": "2024-06-01"})
    assert fetched(mast) == NAMES
    mast.run(listing, mast={"subarrays": ["FULL"]})
    assert "0 files in MAST" in mast.lines[0]
    mast.run(listing, mast={"end": "2024-05-31"})
    assert "0 files in MAST" in mast.lines[0]
    # DATE-OBS decides.
    mast.server.changed[NAMES[0]] = {"date_obs": "2023-12-31T23:59:59"}
    mast.run(listing)
    assert "3 files in MAST" in mast.lines[1]


def test_exp_types_of_the_configuration_are_asked_for(mast):
    mast.run(listing, flat_exp_types=["NIS_EXTCAL"])
    assert "flats of NIS (NIS_EXTCAL)" in mast.lines[1] and "0 files in MAST" in mast.lines[1]


@pytest.mark.parametrize("faults", [["cut"], ["cut", "cut", "cut"], ["busy", "limit"], ["cut", "no ranges"]])
def test_passing_faults_of_the_server_are_overcome(mast, faults):
    mast.server.faults[NAMES[0]] = list(faults)
    mast.run()
    assert fetched(mast) == NAMES and mast.server.faults[NAMES[0]] == [] and parts(mast) == []
    # The last "fault" is a whole file.
    assert len(downloads(mast, NAMES[0])) == len(faults) + (faults[-1] != "no ranges")


def test_an_interrupted_download_continues_where_it_stopped(mast):
    mast.server.faults[NAMES[1]] = ["cut", "error"]
    with pytest.raises(FetchError, match=f"{NAMES[1]}: 404"):
        mast.run()
    # Segments of an exposure come together: a run in the meantime measures no half exposure.
    assert fetched(mast) == NAMES[2:] and len(parts(mast)) == 2
    downloads(mast)
    mast.run()
    assert fetched(mast) == NAMES and parts(mast) == []
    assert [line.rsplit('"', 1)[-1].split()[0] for line in downloads(mast)] == ["416", "206"]


def test_a_part_of_another_version_is_not_continued(mast):
    mast.server.faults[NAMES[0]] = ["cut", "error"]
    with pytest.raises(FetchError):
        mast.run()
    path = mast.server.files()[NAMES[0]]
    data = bytearray(path.read_bytes())
    data[20_000] ^= 1
    path.write_bytes(data)
    downloads(mast)
    mast.run()
    (request,) = downloads(mast, NAMES[0])
    assert " 200 " in request and fetched(mast) == NAMES and parts(mast) == []


def test_damaged_bytes_are_fetched_again(mast):
    mast.server.faults[NAMES[0]] = ["other bytes"]
    assert mast.run().warnings == [] and fetched(mast) == NAMES


def test_a_wrong_checksum_in_the_list_is_a_warning_after_two_equal_downloads(mast):
    mast.server.changed[NAMES[0]] = {"checksum": "0" * 32}
    (warning,) = mast.run().warnings
    assert f"{NAMES[0]}: the MD5 is" in warning and len(downloads(mast)) == 7
    assert f"Warning: {warning}" in mast.lines and fetched(mast) == NAMES


def test_a_wrong_size_is_refused(mast):
    mast.server.changed[NAMES[0]] = {"fileSize": 1000, "checksum": None}
    with pytest.raises(FetchError, match=rf"{NAMES[0]}: \d+ bytes, MAST lists 1000"):
        mast.run()
    assert fetched(mast) == NAMES[2:]
    # The checksum is the better witness.
    mast.server.changed[NAMES[0]] = {"fileSize": 1000}
    mast.run()
    assert fetched(mast) == NAMES


def test_an_incomplete_fits_file_is_refused(mast):
    path = mast.server.files()[NAMES[0]]
    path.write_bytes(path.read_bytes()[:-2880])
    with pytest.raises(FetchError, match=f"{NAMES[0]}: the file is truncated"):
        mast.run()
    assert NAMES[0] not in fetched(mast)


def test_a_server_with_faults_is_left_in_peace(mast, monkeypatch):
    monkeypatch.setattr("badpix.archive.fetch.MAX_FAULTS", 2)
    for name in NAMES:
        mast.server.faults[name] = ["busy"] * 9
    with pytest.raises(FetchError, match="503 Service Unavailable after 2 repeats(?s:.*)2 more files were not tried"):
        mast.run()
    # Two exposures with three requests each.
    assert fetched(mast) == [] and len(downloads(mast)) == 6


def test_a_server_that_is_down_is_an_error(mast):
    mast.run(mast={"max_files": 1})
    before = fetched(mast)
    mast.server.shutdown()
    mast.server.server_close()
    with pytest.raises(FetchError, match=r"cannot be searched for darks of NIS.*refused"):
        mast.run()
    assert fetched(mast) == before == NAMES[:2]


def test_a_search_is_repeated_after_a_passing_fault(mast):
    mast.server.faults["search"] = ["busy", "limit"]
    mast.run()
    assert fetched(mast) == NAMES


@pytest.mark.parametrize("fault", ["busy", "no such column"])
def test_a_search_that_fails_is_an_error(mast, fault):
    mast.server.faults["search"] = [fault] * 9
    with pytest.raises(FetchError, match="503" if fault == "busy" else "RemoteServiceError: no such column"):
        mast.run()


def test_files_that_are_not_public_need_a_token(mast, monkeypatch, capfd):
    mast.server.token, mast.server.closed = SECRET, set(NAMES[:2])
    mast.run()
    assert fetched(mast) == NAMES[2:]
    assert any("2 files are not public (the first from 2024-06-01)" in line for line in mast.lines)
    monkeypatch.setenv(TOKEN_VARIABLE, "another-secret")
    with pytest.raises(FetchError, match=f"does not accept the token in {TOKEN_VARIABLE}") as refused:
        mast.run()
    assert "another-secret" not in str(refused.value)
    monkeypatch.setenv(TOKEN_VARIABLE, SECRET)
    mast.run()
    written = [path.read_text() for path in mast.darks.rglob("*") if path.is_file() and path.suffix != ".fits"]
    assert fetched(mast) == NAMES and SECRET not in "".join([*mast.lines, *written, *capfd.readouterr()])


def test_the_token_is_sent_to_the_archive_alone(mast, monkeypatch):
    mast.server.token = SECRET
    monkeypatch.setenv(TOKEN_VARIABLE, SECRET)
    with serving(mast.server.folder) as other:
        mast.server.faults[NAMES[0]] = [other.url]
        mast.run()
        assert fetched(mast) == NAMES and other.tokens == [None]
    assert set(mast.server.tokens) == {f"token {SECRET}"}


def test_a_token_without_the_right_to_a_file_is_a_warning(mast, monkeypatch):
    mast.server.token = SECRET
    monkeypatch.setenv(TOKEN_VARIABLE, SECRET)
    mast.server.changed[NAMES[0]] = {"isRestricted": True}
    mast.server.faults[NAMES[0]] = ["closed"]
    assert "no right to it" in mast.run().warnings[0] and fetched(mast) == NAMES[2:]


@pytest.mark.parametrize("token", [SECRET, ""])
def test_a_public_file_that_is_refused_is_an_error(mast, monkeypatch, token):
    mast.server.token = SECRET
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    mast.server.faults[NAMES[0]] = ["closed"]
    with pytest.raises(FetchError, match=rf"{NAMES[0]}: MAST lists the file as public and refuses it \(status 401\)"):
        mast.run()
    assert fetched(mast) == NAMES[2:]


def test_refused_files_are_not_in_the_way_of_others(mast, monkeypatch):
    mast.server.token = SECRET
    monkeypatch.setenv(TOKEN_VARIABLE, SECRET)
    for name in NAMES[:4]:
        mast.server.changed[name] = {"isRestricted": True}
    for _ in range(2):
        mast.server.faults[NAMES[0]] = ["closed"]
        mast.run(mast={"max_files": 2})
    # The public flat first, then the second dark in the place of the refused first dark.
    assert fetched(mast) == NAMES[2:]
    mast.server.faults[NAMES[0]] = []
    mast.run(mast={"max_files": 2})
    assert fetched(mast) == NAMES


def test_an_exposure_waits_for_all_its_segments(mast):
    second = mast.server.files()[NAMES[1]]
    second.rename(mast.folder / "later.fits")
    mast.run()
    assert fetched(mast) == NAMES[2:] and any("does not have all segments yet" in line for line in mast.lines)
    (mast.folder / "later.fits").rename(second)
    mast.run()
    assert fetched(mast) == NAMES


def test_a_file_that_the_user_removed_is_not_fetched_again(mast):
    mast.run()
    for name in NAMES[:2]:
        (mast.darks / name).unlink()
    mast.run()
    assert fetched(mast) == NAMES[2:] and any("2 files of earlier fetches were removed" in line for line in mast.lines)
    index = read_index(mast.darks)
    write_index(mast.darks, {name: row for name, row in index.items() if name not in NAMES[:2]})
    mast.run()
    assert fetched(mast) == NAMES


def test_a_new_version_in_the_archive_replaces_the_file(mast):
    mast.run()
    path = mast.server.files()[NAMES[0]]
    path.write_bytes(path.read_bytes().replace(b"jwst-badpix", b"jwst-BADPIX"))
    mast.server.changed[NAMES[0]] = {"checksum": "1" * 32}
    mast.run()
    assert fetched(mast) == NAMES and read_index(mast.darks)[NAMES[0]].listed_checksum == "1" * 32


@pytest.mark.parametrize("listed", [{"fileSize": 1}, {"checksum": None}, {"checksum": None, "fileSize": None}])
def test_the_same_file_is_not_replaced(mast, listed):
    mast.run()
    downloads(mast)
    mast.server.changed[NAMES[0]] = listed
    mast.run()
    assert mast.lines[-1] == "no new exposures" and downloads(mast) == []


@pytest.mark.parametrize("layout", ["{}", "mastDownload/JWST/x/{}", "{}.gz"])
def test_files_that_the_user_has_are_not_fetched(mast, layout):
    own = mast.folder / "own" / layout.format(NAMES[0])
    own.parent.mkdir(parents=True)
    shutil.copy(mast.server.files()[NAMES[0]], own)
    mast.run(darks=[str(mast.darks), str(mast.folder / "own")])
    assert fetched(mast) == NAMES[1:]


def test_a_run_has_a_largest_number_of_files(mast):
    mast.run(mast={"max_files": 3})
    assert fetched(mast) == NAMES[:2] and "4 more files are left for the next run" in " ".join(mast.lines)
    mast.run(mast={"max_files": 3})
    mast.run(mast={"max_files": 3})
    assert fetched(mast) == NAMES


def test_two_fetches_do_not_work_in_a_folder_at_the_same_time(mast):
    with (
        locked(mast.darks),
        pytest.raises(FetchError, match=r"the folder is locked by a running fetch \(process \d+\)"),
    ):
        mast.run()
    assert downloads(mast) == []
    mast.run()
    assert fetched(mast) == NAMES


def test_a_disk_without_enough_space_is_an_error_before_any_download(mast):
    mast.server.changed[NAMES[0]] = {"fileSize": 10**18}
    with pytest.raises(
        FetchError, match=r"darks and .*flats: the new darks and flats need 1000000000.0 GB, and .* are"
    ):
        mast.run()
    assert downloads(mast) == []


def test_folders_on_a_disk_share_its_free_space(mast, monkeypatch):
    sizes = [path.stat().st_size for path in mast.server.files().values()]
    free = sum(sizes) - 1
    monkeypatch.setattr("badpix.archive.fetch.shutil.disk_usage", lambda folder: SimpleNamespace(free=free))
    with pytest.raises(FetchError, match="free on the disk"):
        mast.run()
    assert downloads(mast) == []
    free += 1
    mast.run()
    assert fetched(mast) == NAMES


def test_progress_is_shown_on_a_terminal(mast):
    log = mast.folder / "fetch.log"
    config = configured(mast.folder, mast.server)
    code = (
        "import json, runpy, sys, types, badpix.archive.fetch as fetch;"
        " fetch.PROGRESS_S = 0.0; given = json.load(sys.stdin);"
        " params = types.SimpleNamespace(only_list=False, **given['params']);"
        " snakemake = types.SimpleNamespace(params=params, log=[given['log']], rule='fetch');"
        " runpy.run_path(given['script'], {'snakemake': snakemake})"
    )
    given = {
        "params": {"config": config, "detectors": str(PROJECT / "config" / "detectors")},
        "log": str(log),
        "script": str(PROJECT / "scripts" / "fetch.py"),
    }
    master, terminal = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "scripts")}
    for stderr, on_terminal in ((terminal, True), (subprocess.PIPE, False)):
        for name in NAMES[:2]:
            (mast.darks / name).unlink(missing_ok=True)
        (mast.darks / INDEX).unlink(missing_ok=True)
        arguments = [sys.executable, "-c", code]
        subprocess.run(
            arguments, input=json.dumps(given), text=True, stderr=stderr, env=environment, check=True, timeout=60
        )
        lines = log.read_text()
        assert ("of 6 files, 0.00 of 0.00 GB" in lines) == on_terminal and "files, 0.000 GB" in lines
    assert b"of 6 files, 0.00 of 0.00 GB" in os.read(master, 100_000)
    os.close(terminal)
    os.close(master)


def test_a_full_disk_stops_the_downloads(mast):
    mast.server.faults[NAMES[0]] = ["cut", "error"]
    with pytest.raises(FetchError):
        mast.run()
    (part,) = (mast.darks / WORK).glob(f"{NAMES[0]}*")
    part.unlink()
    part.symlink_to("/dev/full")
    shutil.rmtree(mast.folder / "data" / "flats")
    for name in NAMES[2:4]:
        (mast.darks / name).unlink()
    (mast.darks / INDEX).unlink()
    with pytest.raises(FetchError, match="the disk is full(?s:.*)4 more files were not tried"):
        mast.run()


def test_files_come_from_the_public_bucket_where_it_has_them(mast, monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, SECRET)
    mast.server.token = SECRET
    request = utils._simple_request  # noqa: SLF001
    # The address of MAST is fixed in this part of astroquery.
    monkeypatch.setattr(
        utils,
        "_simple_request",
        lambda url, params: request(url.replace("https://mast.stsci.edu", mast.server.url), params),
    )
    with serving(mast.server.folder) as bucket:
        monkeypatch.setattr(cloud, "BUCKET", f"{bucket.url}/stpubdata")
        bucket.absent_in_bucket = set(NAMES[:1])
        bucket.faults[NAMES[1]] = ["cut"]
        mast.run(mast={"cloud": True})
        assert sum("GET /stpubdata/jwst/public/" in line for line in bucket.requests) == 6
        assert set(bucket.tokens) == {None}
    assert fetched(mast) == NAMES and "5 of 6 files are in the public bucket" in mast.lines
    assert len(downloads(mast)) == 1


def test_files_come_from_mast_if_the_bucket_does_not_answer(mast, monkeypatch):
    def refused(url, params):
        raise ConnectionError(f"{url} does not answer")

    monkeypatch.setattr(utils, "_simple_request", refused)
    mast.run(mast={"cloud": True})
    assert fetched(mast) == NAMES and len(downloads(mast)) == 6
    assert any(line.startswith("Warning: the public bucket cannot be asked (ConnectionError") for line in mast.lines)


def test_a_damaged_index_is_named(mast):
    mast.run()
    (mast.darks / INDEX).write_text("name\n")
    with pytest.raises(FetchError, match=rf"{INDEX} is no table of this workflow"):
        mast.run()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"mast": {"detectors": None}}, "mast.detectors: null is not allowed for fetch"),
        ({"mast": {"start": None}}, "mast.start: null is not allowed for fetch"),
        ({"darks": "data", "flats": "data/"}, "darks, flats: both are 'data'"),
        ({"darks": "data/*/x_uncal.fits"}, r"darks: 'data/\*/x_uncal.fits' is no folder"),
        ({"flats": ["x_uncal.fits"]}, "flats: 'x_uncal.fits' is no folder"),
    ],
)
def test_a_key_that_fetch_needs_is_named(mast, keys, message):
    with pytest.raises(FetchError, match=message):
        mast.run(**keys)
    # The detectors of the masks are those of fetch, if they are named.
    assert requested(configured(mast.folder, mast.server, mast={"detectors": None}, detectors=["NIS"])).queries
