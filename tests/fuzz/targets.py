"""The readers and chains of the library under test: each takes a damaged input as the jobs do.

A target is a function of a folder with sound files; it returns a strategy for inputs, and a check that raises nothing
but what the library documents, and AssertionError for another result than that of the sound input.
"""

import dataclasses
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from astropy.io import fits
from hypothesis import strategies as st

import bad_pixel_mask
from badpix.changes.compare import compare
from badpix.changes.files import MaskMismatch, align, read_image
from badpix.config.check import ConfigError, load_steps, validated
from badpix.config.sweep import sweep_points
from badpix.core.csv_table import TableError
from badpix.core.errors import BadExposure, ProductError, TooFewExposures
from badpix.exposures.checks import REQUIRED
from badpix.exposures.epochs import divide
from badpix.exposures.header_cache import HeaderCache, Unreadable
from badpix.exposures.headers import read_header_info
from badpix.exposures.inventory import InventoryError, refuse_incomplete, take_inventory
from badpix.exposures.keyword_checks import number_problem, text_problem
from badpix.exposures.sheet import read_sheet
from badpix.formats.comparison_file import read_comparison, reasons, rejectable
from badpix.formats.evidence_file import read_evidence
from badpix.formats.leave_one_out_file import read_exposures
from badpix.formats.mask_file import MaskHeader, read_mask, write_mask
from badpix.formats.mask_tables import read_rejected_exposures, read_summary
from badpix.formats.response_file import Responses
from badpix.formats.statistics_file import rejection_reason
from badpix.history.files import HistoryError, extend_history
from badpix.instrument.detectors import detector_from_mapping, load_detectors
from badpix.instrument.file_names import InputError
from badpix.instrument.geometry import Geometry
from badpix.mask.flags import flags_by_type
from badpix.mask.manual_flags import ManualFlagError, check_manual_flags, manual_flags
from badpix.pixels.known_list import KnownPixelError, read_known_pixels
from badpix.statistics.dark import DarkMeasurement
from badpix.statistics.flat import FlatMeasurement
from badpix.statistics.given import measure_given
from badpix.vote.exposure_set import VoteFiles
from badpix.workflow.resources import RULES, Size, memory_mb, runtime_minutes
from fuzz.mutations import KEYS, VALUES, damages, with_countable_axes
from unit import test_adapters as adapters
from unit.exposures.test_checks import DARK, raw
from unit.history.test_entries import JULY, JUNE

Target = tuple[st.SearchStrategy, Callable[[Any], None]]
DETECTORS = load_detectors(adapters.ROOT / "config" / "detectors")
TIME = {"TIME-OBS": "12:00:00"}
STEPS = load_steps(adapters.SCHEMAS / "detector1_steps.json")
CONFIG = validated({"darks": "d", "min_darks": 1}, adapters.SCHEMA, STEPS)


def _raw_file(path: Path) -> bytes:
    header = fits.Header({**DARK, "GROUPGAP": 0, "EXPSTART": 60462.5})
    sci = fits.ImageHDU(np.ones((2, 10, 32, 64), np.uint16), name="SCI")
    fits.HDUList([fits.PrimaryHDU(header=header), sci]).writeto(path, overwrite=True)
    return path.read_bytes()


def _inventory(headers: dict[str, Any], config: dict[str, Any]) -> None:
    """Take the inventory of an exposure `z` among sound exposures, as a run does; the sound exposures must stay."""
    sound = {f"d{n}": raw(DARK | {"TIME-OBS": f"{n:02d}:30:00"}) for n in (1, 2, 3)}
    names = [*sound, "z"]
    files = {"darks": {name: {"uncal": name} for name in names}, "flats": {}}
    found = take_inventory(files, (sound | {"z": headers}).get, DETECTORS, config)
    refuse_incomplete(found, ["darks"], config)
    divide(found, ["darks"], config)
    used = {name for kinds in found.masks.values() for name in kinds["darks"]}
    assert used >= set(sound), found
    assert "z" in used or any(reasons.get("z") for reasons in found.rejected.values())
    for kinds in found.masks.values():
        for exposure in kinds["darks"].values():
            Geometry.from_header(exposure.keywords)
            size = Size.from_keywords(exposure.keywords, "HgCdTe", len(used))
            assert all(0 < memory_mb(rule, size) < 10**9 and runtime_minutes(rule, size) >= 0 for rule in RULES)


def raw_files(folder: Path) -> Target:
    """A raw file, through its header to the inventory."""
    content, path = _raw_file(folder / "z.fits"), folder / "damaged.fits"

    def check(damaged: bytes) -> None:
        path.write_bytes(damaged)
        _inventory(read_header_info(path), CONFIG)  # type: ignore[arg-type]

    return damages(content), check


def keywords(folder: Path) -> Target:
    """Keywords of any value, through the inventory, with and without epochs."""
    changes = st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=4)
    epochs = st.sampled_from([None, {"max_gap_days": 1}, {"max_gap_days": 36525}])

    def check(drawn: tuple[dict[str, Any], Any]) -> None:
        changed, setting = drawn
        keys = {k: v for k, v in (DARK | changed).items() if not (isinstance(v, float) and v != v)}
        try:
            _inventory(raw(keys), CONFIG | {"epochs": setting})
        except InventoryError:
            assert setting  # an epoch of its own may have too few exposures

    return st.tuples(changes, epochs), check


def header_cache(folder: Path) -> Target:
    """The cache of headers: whatever it holds, the headers are those of the file."""
    path, cache = folder / "z.fits", folder / "cache.json"
    _raw_file(path)
    saved = HeaderCache(cache)
    right = saved.header_info(path)
    saved.save()

    def check(damaged: bytes) -> None:
        cache.write_bytes(damaged)
        assert HeaderCache(cache).header_info(path) == right

    return damages(cache.read_bytes()), check


def products(folder: Path) -> Target:
    """A product of a dark or a flat, to its statistics: a file of statistics, or a rejected exposure."""
    dark = adapters.make_dark(folder, "d", 1)
    flat = adapters.make_flat(folder, "f", raw=True)
    given = [(dark, product) for product in dark] + [(flat, product) for product in flat]
    sound_keys = [key for key in REQUIRED if key != "TIME-OBS"]
    drawn = st.sampled_from(given).flatmap(
        lambda pair: st.tuples(st.just(pair), damages(Path(pair[0][pair[1]]).read_bytes()))
    )

    def check(case: tuple[tuple[dict[str, Path], str], bytes]) -> None:
        (paths, product), damaged = case
        path, output = folder / f"damaged_{product}.fits", folder / "statistics.fits"
        path.write_bytes(damaged)
        header = read_header_info(path)
        if header["problem"]:
            return  # rejected before any job
        keys = header["keywords"]
        if any(key not in keys for key in sound_keys) or text_problem(keys | TIME) or number_problem(keys):
            return  # the same
        if any(keys[key] != adapters.KEYWORDS[key] for key in ("FASTAXIS", "SLOWAXIS")):
            return  # the same
        changed = {**paths, product: path}
        settings = (
            DarkMeasurement(detector_from_mapping(adapters.DETECTOR), 0.25) if paths is dark else FlatMeasurement()
        )
        measure_given(changed, output, "d" if paths is dark else "f", settings)
        assert rejection_reason(output) is None or rejection_reason(output)

    return drawn, check


def _statistics(folder: Path) -> dict[str, Any]:
    """Statistics of three darks and three flats, and their response."""
    darks = [adapters.dark(folder, adapters.make_dark(folder, f"d{i}", i), f"d{i}") for i in (1, 2, 3)]
    flats = [folder / f"f{i}_flat_statistics.fits" for i in (1, 2, 3)]
    for i, path in enumerate(flats, start=1):
        made = adapters.make_flat(folder, f"f{i}", raw=i != 3)
        measure_given(made, path, f"f{i}", FlatMeasurement())
    settings = adapters.ResponseSettings.from_config(adapters.config())
    adapters.flat_response.main(flats, folder / "response.fits", adapters.DETECTOR, settings)
    return {"darks": darks, "flats": flats, "response": folder / "response.fits"}


def votes(folder: Path) -> Target:
    """A damaged file of statistics or response, through the vote: a refusal, or the mask of the sound files."""
    statistics = _statistics(folder)
    right = read_mask(adapters.vote(folder / "sound", statistics)["mask"])
    named = [*(("darks", i) for i in range(3)), *(("flats", i) for i in range(3)), ("response", None)]

    def path_of(kind: str, number: int | None) -> Path:
        return Path(statistics[kind] if number is None else statistics[kind][number])

    def damaged_one(pair: tuple[str, int | None]) -> st.SearchStrategy:
        return st.tuples(st.just(pair), damages(path_of(*pair).read_bytes()).filter(with_countable_axes))

    def check(case: tuple[tuple[str, int | None], bytes]) -> None:
        (kind, number), damaged = case
        path = folder / "damaged" / path_of(kind, number).name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(damaged)
        files = {name: list(value) if isinstance(value, list) else value for name, value in statistics.items()}
        if number is None:
            files[kind] = path
        else:
            files[kind][number] = path
        dq = _dq(VoteFiles(files["darks"], files["flats"], Responses(files["response"])))
        np.testing.assert_array_equal(dq, right)

    return st.sampled_from(named).flatmap(damaged_one), check


def _dq(files: VoteFiles) -> np.ndarray:
    """The mask of a vote without its files."""
    settings = adapters.config()
    vote = bad_pixel_mask.make_mask(
        files,
        bad_pixel_mask.detector_from_mapping(adapters.DETECTOR),
        bad_pixel_mask.VoteSettings.from_config(settings),
        bad_pixel_mask.MaskSettings.from_config(settings),
    )
    return vote.dq


def evidence(folder: Path) -> Target:
    """The evidence of a vote, as the report and the score read it: a refusal, or the same evidence."""
    outputs = adapters.vote(folder / "sound", _statistics(folder))
    right, path = read_evidence(outputs["evidence"]), folder / "damaged_evidence.fits"

    def check(damaged: bytes) -> None:
        path.write_bytes(damaged)
        found = read_evidence(path)
        for field in dataclasses.fields(right):
            if field.name != "path":
                found_value, right_value = getattr(found, field.name), getattr(right, field.name)
                if field.name == "thresholds":  # with NaN, which does not equal itself
                    found_value, right_value = repr(found_value), repr(right_value)
                np.testing.assert_equal(found_value, right_value)

    return damages(Path(outputs["evidence"]).read_bytes()).filter(with_countable_axes), check


def masks(folder: Path) -> Target:
    """A mask to compare with: a refusal or, if its headers are as they were, the same mask."""
    path, damaged_path = folder / "a.fits", folder / "b.fits"
    dq = np.zeros((8, 8), np.uint32)
    dq[2, 3], dq[0] = 1025, 2**31
    geometry = Geometry("FULL", 1, 1, 8, 8, -2, -1)
    texts = {"author": "a", "description": "d", "pedigree": "GROUND", "useafter": "2022-01-01 00:00:00"}
    write_mask(path, dq, geometry, MaskHeader({"instrument": "NIRISS", "detector": "NIS"}, texts))
    right, content = read_image(path), path.read_bytes()
    with fits.open(path) as hdus:
        data_at = hdus.fileinfo("DQ")["datLoc"]

    def check(damaged: bytes) -> None:
        damaged_path.write_bytes(damaged)
        found = read_image(damaged_path)
        pair = align(found, right)
        compare(pair.before, pair.after, pair.compared)
        if damaged[:data_at] == content[:data_at]:
            np.testing.assert_array_equal(found.dq, right.dq)

    return damages(path.read_bytes()), check


TABLES: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "manual flags": (
        "x y flag\n3 4 HOT\n0:5 : DEAD # all\n:9 2047 rc OPEN\n",
        lambda path: (check_manual_flags(path, DETECTORS["NIS"]),
                      manual_flags(path, Geometry("SUB", 9, 9, 16, 16, -2, -1), DETECTORS["NIS"])),
    ),
    "known bad pixels": (
        "x,y,types\n3,4,hot+rc\n0:5,7.0,\n# a\n9,2047,DEAD\n",
        lambda path: read_known_pixels(path, DETECTORS["NIS"], flags_by_type({}, (), ())),
    ),
    "sheet": ("kind\tuncal\tjump\n# a\ndark\ta_uncal.fits\ta_jump.fits\n\ndark\tb_uncal.fits\n", read_sheet),
    "outliers": ("kind,exposure,n_changed,undecided\ndarks,a,3,\nflats,b,0,noisy\n", read_exposures),
    "comparison": (
        "kind,exposure,measure,integration,value,others,variation,distance,limit,status,text\n"
        "darks,a,rate,1,2,1,0.1,10,9,outlier,rate 2\n",
        lambda path: (reasons(read_comparison(path)), rejectable(read_comparison(path))),
    ),
    "summary": ("kind,name,n_pixels,fraction,n_insufficient,fraction_insufficient\ntype,hot,3,0.5,,\n", read_summary),
    "rejected": ("input,reason\na,\"it, too\"\n'=b,c\n", read_rejected_exposures),
}  # fmt: skip


def tables(folder: Path) -> Target:
    """Tables of the user, and tables of the workflow that later jobs read."""
    path = folder / "table.txt"
    drawn = st.sampled_from(sorted(TABLES)).flatmap(
        lambda name: st.tuples(st.just(name), damages(TABLES[name][0].encode()))
    )

    def check(case: tuple[str, bytes]) -> None:
        path.write_bytes(case[1])
        TABLES[case[0]][1](path)

    return drawn, check


def histories(folder: Path) -> Target:
    """The files of a history with a changed byte or cell: the history is extended, or refused and left as it is."""
    sound, used = folder / "sound", folder / "used"
    extend_history(sound, [JUNE])
    cells = st.none() | VALUES
    columns = {name: list(pd.read_parquet(sound / f"{name}.parquet").columns) for name in ("epochs", "flagged")}
    of_file = st.sampled_from(["epochs", "flagged", "pixels"]).flatmap(
        lambda name: st.tuples(st.just(name), damages((sound / f"{name}.parquet").read_bytes()))
    )
    of_cell = st.sampled_from(sorted(columns)).flatmap(
        lambda name: st.tuples(st.just(name), st.tuples(st.sampled_from(columns[name]), cells))
    )

    def check(case: tuple[str, bytes | tuple[str, Any]]) -> None:
        name, damage = case
        shutil.rmtree(used, ignore_errors=True)
        shutil.copytree(sound, used)
        path = used / f"{name}.parquet"
        if isinstance(damage, bytes):
            path.write_bytes(damage)
        else:
            table = pd.read_parquet(path)
            try:
                table.assign(**{damage[0]: [damage[1]] * len(table)}).to_parquet(path, index=False)
            except (ValueError, OverflowError, TypeError):
                return  # Parquet cannot hold it
        before = {item.name: item.read_bytes() for item in used.iterdir()}
        try:
            extend_history(used, [JULY])
        except HistoryError:
            assert {item.name: item.read_bytes() for item in used.iterdir()} == before
            raise

    return of_file | of_cell, check


def configurations(folder: Path) -> Target:
    """Configurations: values of any kind under any key, and damaged YAML. The defaults are filled in, or refused."""
    text = (
        adapters.ROOT / "config" / "presets" / "flight.yaml"
    ).read_bytes() + b"darks: [a, b]\nuseafter: 2022-01-01\n"
    leaf = st.none() | VALUES | st.dates() | st.datetimes(timezones=st.none() | st.timezones())
    deep = st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(leaf, inner, max_size=3), max_leaves=8
    )
    keys = st.sampled_from(sorted(adapters.SCHEMA["properties"])) | st.text(max_size=5)
    changed = st.dictionaries(keys, deep, min_size=1, max_size=3).map(lambda extra: {"darks": "d"} | extra)

    def check(drawn: Any) -> None:
        config = drawn
        if isinstance(drawn, bytes):
            try:
                config = yaml.safe_load(drawn)
            except (yaml.YAMLError, ValueError, RecursionError, OverflowError):
                return  # Snakemake refuses it before the library sees it
        complete = validated(config, adapters.SCHEMA, STEPS)
        sweep_points(complete["sweep"], complete["sweep_grid"], complete)
        assert set(complete) == set(adapters.SCHEMA["properties"])
        json.dumps(complete)

    return damages(text) | changed, check


# Target -> the exceptions that the library documents for it, each with a message for the user.
TARGETS: dict[Callable[[Path], Target], tuple[type[BaseException], ...]] = {
    raw_files: (InventoryError, Unreadable),
    keywords: (),
    header_cache: (),
    products: (),
    votes: (ProductError, BadExposure, TooFewExposures),
    evidence: (ProductError, ValueError),
    masks: (MaskMismatch, ProductError),
    tables: (ManualFlagError, KnownPixelError, InputError, TableError),
    histories: (HistoryError,),
    configurations: (ConfigError,),
}
warnings.simplefilter("ignore")
