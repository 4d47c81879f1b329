"""A mask from the arguments of the call: the configuration of the run, the run, and the files for the caller."""

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from badpix.config.check import load_schema
from badpix.core.files import atomic_path
from badpix.core.reasons import reason_lines
from badpix.formats.mask_file import read_warnings
from badpix.formats.mask_tables import REJECTED, read_rejected_exposures
from jwst_badpix.errors import BadPixelsError
from jwst_badpix.options import Options
from jwst_badpix.pairing import ARGUMENTS, by_exposure, input_files, refuse_averages, sheet_rows, write_sheet
from jwst_badpix.place import workflow_folder
from jwst_badpix.run import found_masks, run_in, summary_of

logger = logging.getLogger("jwst_badpix")
FILE_ARGUMENTS = tuple(name for of_kind in ARGUMENTS.values() for name in of_kind)
# Of the folder, which is removed: no history, no certificate. Products are used as they are given, with a warning.
OF_THE_CALL = {"keep_history": False, "certify": False, "other_processing": "use"}
# Keys of the configuration that the arguments of the call replace, or that make several masks.
NOT_ALLOWED = ("exposures", "darks", "flats", "results", "epochs", "variants")
# Values of keys of paths that are no paths.
WORDS = ("default", "none", "crds", "previous")
# The number and the kind in the message of a mask with too few exposures (`badpix.core.reasons.too_few`).
TOO_FEW = re.compile(r"no mask, because (\d+) usable (darks|flats) remain and min_")
SHEET, CONFIG, RESULTS, PLOTS = "exposures.tsv", "config.yaml", "results", "plots.png"


def make_mask(arguments: Mapping[str, Any], defaults: Mapping[str, Any], options: Options) -> Path:
    """The path of the mask made from the `arguments` of the call; `defaults` are their default values.

    BadPixelsError if there is no mask.
    """
    output = _output_file(arguments["output_file"])
    rows = exposure_rows(arguments)
    arguments = without_flux_check(arguments, rows)
    keys = configuration(arguments, defaults, options.config or {}) | {"output_file": output.name}
    with _folder(options.keep) as name:
        folder = Path(name).resolve()
        write_sheet(folder / SHEET, rows)
        text = yaml.safe_dump(keys | {"exposures": SHEET, "results": RESULTS}, sort_keys=False)
        (folder / CONFIG).write_text(text, encoding="utf-8")
        try:
            messages = run_in(folder, folder / CONFIG, options.cores, options.keep is not None)
        except BadPixelsError as error:
            raise BadPixelsError(with_argument(str(error))) from error
        masks = found_masks(folder / RESULTS, output.name)
        if len(masks) != 1:
            raise BadPixelsError(f"the run made {len(masks)} masks instead of one:\n{messages}")
        _copy(masks[0], output)
        if (plots := masks[0].parent / PLOTS).exists() and arguments["plot"]:
            _copy(plots, output.with_name(f"{output.stem}_{PLOTS}"))
        _report(masks[0], output, messages)
    return output


def with_argument(message: str) -> str:
    """The `message` of a run; where it has too few exposures, with the arguments that have or lower their number."""
    hints = [
        f"{kind.removesuffix('s')}_slope_files has too few files, or lower the number with"
        f" config={{'min_{kind}': {number}}}"
        for number, kind in dict.fromkeys(TOO_FEW.findall(message))
        if int(number)
    ]
    return "\n".join([message, *hints])


def without_flux_check(arguments: Mapping[str, Any], rows: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """`arguments` without `run_dead_flux_check` if `rows` (of the sheet) have no raw flats, as in the official call.

    The log has a warning if there are flats.
    """
    flats = [row for row in rows if row["kind"] == "flat"]
    if not arguments["run_dead_flux_check"] or any("flux_check" in row for row in flats):
        return dict(arguments)
    if flats and arguments["dead_search"]:
        logger.warning(
            "dead_flux_check_files is %r: no flux check of DEAD pixels, although run_dead_flux_check is True; hot"
            " pixels that saturate at once can be flagged as DEAD",
            arguments["dead_flux_check_files"],
        )
    return {**arguments, "run_dead_flux_check": False}


def exposure_rows(arguments: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows of the sheet of exposures from the lists of files in `arguments`."""
    files = {kind: input_files(kind, arguments) for kind in ARGUMENTS}
    refuse_averages(file for of_kind in files.values() for file in of_kind)
    if not any(files.values()):
        raise BadPixelsError("flat_slope_files and dark_slope_files: none is given, so there are no exposures")
    return sheet_rows({kind: by_exposure(of_kind) for kind, of_kind in files.items()})


def configuration(
    arguments: Mapping[str, Any], defaults: Mapping[str, Any], further: Mapping[str, Any]
) -> dict[str, Any]:
    """The configuration of the run, without its files.

    Only `arguments` that differ from `defaults`, so that a preset in the `further` keys has an effect. Paths that exist
    relative to the current folder become absolute, since the run has a folder of its own.
    """
    taken = [key for key in further if key in arguments or key in NOT_ALLOWED]
    if taken:
        raise BadPixelsError(
            f"config: {', '.join(taken)} is not allowed; the arguments of the call have it, or one mask"
        )
    given = {
        key: _plain(value)
        for key, value in arguments.items()
        if key not in (*FILE_ARGUMENTS, "output_file") and not _equal(value, defaults[key])
    }
    schema = load_schema(workflow_folder() / "config" / "schemas" / "config.schema.yaml")
    return OF_THE_CALL | _absolute(given | _plain(further), schema)


def _equal(value: object, default: object) -> bool:
    return type(_plain(value)) is type(default) and bool(_plain(value) == default)


def _plain(value: Any) -> Any:
    """`value` as YAML can hold it: numpy numbers, tuples, arrays and paths as numbers, lists and texts."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, np.ndarray)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _absolute(value: Any, node: Mapping[str, Any], is_path: bool = False) -> Any:
    """`value` with the relative paths of existing files as absolute paths; `node` is its part of the schema."""
    is_path = is_path or node.get("unit") == "path"
    if isinstance(value, dict):
        properties = node.get("properties", {})
        return {key: _absolute(inner, properties.get(key, {}), is_path) for key, inner in value.items()}
    if isinstance(value, list):
        return [_absolute(item, {}, is_path) for item in value]
    if is_path and isinstance(value, str) and value not in WORDS and Path(value).exists():
        return str(Path(value).absolute())
    return value


def _output_file(value: str | os.PathLike[str]) -> Path:
    """The absolute path of the mask; BadPixelsError before the run if it cannot be written."""
    output = Path(value).absolute()
    if output.suffix != ".fits":
        raise BadPixelsError(f"output_file: {os.fspath(value)!r} must end in .fits")
    if not (output.parent.is_dir() and os.access(output.parent, os.W_OK)):
        raise BadPixelsError(f"output_file: no directory {str(output.parent)!r} in which a file can be written")
    return output


def _folder(keep: str | os.PathLike[str] | None) -> Any:
    """A context with the name of the folder of the run: `keep`, or a temporary folder that is removed."""
    if keep is None:
        return tempfile.TemporaryDirectory(prefix="jwst-badpix-", ignore_cleanup_errors=True)
    Path(keep).mkdir(parents=True, exist_ok=True)
    return nullcontext(os.fspath(keep))


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


def _report(mask: Path, output: Path, messages: str) -> None:
    """The summary of the run, its rejected exposures and its warnings to the log of the caller."""
    logger.info("%s:\n%s", output, summary_of(messages))
    for line in reason_lines(read_rejected_exposures(mask.parent / REJECTED)):
        logger.warning("%s: rejected exposure %s", output, line)
    for warning in read_warnings(mask):
        logger.warning("%s: %s", output, warning)
