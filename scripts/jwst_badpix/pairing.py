"""Lists of files, matched by exposure from their headers, and written as a sheet of exposures."""

import csv
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from badpix.exposures.header_walk import HeaderInfo
from badpix.exposures.headers import read_header_info
from badpix.exposures.sheet import COLUMNS
from badpix.instrument.file_names import exposure_name
from jwst_badpix.errors import BadPixelsError
from jwst_badpix.options import Files

# Kind of exposure -> argument of the call -> product. The first argument of a kind makes an exposure.
ARGUMENTS = {
    "dark": {
        "dark_slope_files": "rateints", "dark_jump_files": "jump", "dark_fitopt_files": "fitopt",
        "dark_uncal_files": "uncal",
    },
    "flat": {"flat_slope_files": "rateints", "dead_flux_check_files": "flux_check"},
}  # fmt: skip
# Raw files beside the products: without an exposure they are a mistake.
COMPANIONS = ("dark_uncal_files", "dead_flux_check_files")
# Keywords that identify an exposure of a detector, and its segment.
IDENTITY = ("DETECTOR", "DATE-OBS", "TIME-OBS")
# Names of the slopes if the step ramp_fit saves them: 0 for the mean of the integrations, 1 for each integration.
_RAMP_FIT = re.compile(r"_[01]_ramp_?fit$")
# End of the name of a mean -> end of the name of the file with each integration.
_EACH_INTEGRATION = ((r"_rate(\.fits(?:\.gz)?)$", r"_rateints\1"), (r"_0_(ramp_?fit\.fits(?:\.gz)?)$", r"_1_\1"))
MAX_NAMES = 10  # named files of an error


@dataclass(frozen=True)
class InputFile:
    """A file of an argument of the call, with its product, absolute path and header information."""

    argument: str
    product: str
    path: str
    header: HeaderInfo

    @property
    def root(self) -> str:
        """The name of its exposure by the name of the file."""
        return _RAMP_FIT.sub("", exposure_name(self.path))

    @property
    def identity(self) -> tuple[object, ...] | None:
        """What identifies its exposure and segment in the header; None if the header lacks it."""
        keywords = self.header.get("keywords", {})
        if not all(key in keywords for key in IDENTITY):
            return None
        return (*(keywords[key] for key in IDENTITY), keywords.get("EXSEGNUM", 1))

    @property
    def is_image(self) -> bool:
        """True for slopes without an axis of integrations."""
        return self.product == "rateints" and len(self.header.get("extensions", {}).get("SCI", [])) == 2

    @property
    def is_average(self) -> bool:
        """True for slopes that are the mean of several integrations."""
        return self.is_image and self.header.get("keywords", {}).get("NINTS", 1) != 1


def paths_of(argument: str, value: Files) -> list[str]:
    """The absolute paths in the `value` of an argument: None, a path, or several of them."""
    if value is None:
        return []
    items = [value] if isinstance(value, (str, os.PathLike)) else list(value)
    paths = []
    for number, item in enumerate(items):
        if not isinstance(item, (str, os.PathLike)) or str(item) in ("", "None"):
            raise BadPixelsError(f"{argument}: element {number} is {item!r}; each must be the path of a file")
        path = str(Path(item).absolute())
        if not Path(path).is_file():
            raise BadPixelsError(f"{argument}: no such file: {str(item)!r}")
        paths.append(path)
    return list(dict.fromkeys(paths))


def _read(argument: str, product: str, path: str) -> InputFile:
    try:
        return InputFile(argument, product, path, read_header_info(Path(path)))
    except OSError as error:
        raise BadPixelsError(f"{argument}: {path!r} cannot be read: {error.strerror}") from error


def input_files(kind: str, given: Mapping[str, Files]) -> list[InputFile]:
    """The InputFiles of a kind (dark, flat) in the arguments `given` (name -> value).

    The mean of several integrations is replaced by the file beside it that has each of them.
    """
    return [
        _each_integration(_read(argument, product, path))
        for argument, product in ARGUMENTS[kind].items()
        for path in paths_of(argument, given[argument])
    ]


def _each_integration(file: InputFile) -> InputFile:
    """`file`, or if it is the mean of several integrations the file beside it with each of them, if there is one."""
    if file.is_average:
        for mean, each in _EACH_INTEGRATION:
            beside = re.sub(mean, each, file.path)
            if beside != file.path and Path(beside).is_file():
                return _read(file.argument, file.product, beside)
    return file


def refuse_averages(files: Iterable[InputFile]) -> None:
    """BadPixelsError that names all `files` with the mean of several integrations."""
    averages = [file for file in files if file.is_average]
    if averages:
        arguments = ", ".join(dict.fromkeys(file.argument for file in averages))
        raise BadPixelsError(
            f"{arguments}: {_listed([file.path for file in averages])} average several integrations (NINTS), and no"
            " rateints file is beside them; give the rateints files, since each integration is measured by itself"
        )


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - MAX_NAMES} more" if len(paths) > MAX_NAMES else ""
    return ", ".join(paths[:MAX_NAMES]) + more


def by_exposure(files: Iterable[InputFile]) -> list[dict[str, InputFile]]:
    """The `files` of a kind as exposures (product -> file), in the order of their first file.

    Files with the same IDENTITY and segment are of one exposure; a file without these keywords belongs to the exposure
    of its name, so that it is rejected together with it. BadPixelsError if an exposure has two files of a product, or
    if a raw file belongs to no exposure.
    """
    files = list(files)
    exposures: dict[object, dict[str, InputFile]] = {}
    of_root: dict[str, object] = {}
    for file in sorted(files, key=lambda file: file.identity is None):
        key = file.identity or of_root.get(file.root, file.root)
        of_root.setdefault(file.root, key)
        exposure = exposures.setdefault(key, {})
        other = exposure.setdefault(file.product, file)
        if other.is_image != file.is_image:  # rate and rateints of an exposure of one integration
            exposure[file.product] = file if other.is_image else other
        elif not Path(other.path).samefile(file.path):
            raise BadPixelsError(
                f"{file.argument}: {other.path!r} and {file.path!r} are of the same exposure and segment (DETECTOR,"
                " DATE-OBS, TIME-OBS); take one of them out"
            )
    alone = [
        file.path
        for exposure in exposures.values()
        if all(file.argument in COMPANIONS for file in exposure.values())
        for file in exposure.values()
    ]
    if alone:
        argument = next(file.argument for file in files if file.path in alone)
        raise BadPixelsError(
            f"{argument}: {_listed(alone)}: no other file is of the same exposure (DATE-OBS, TIME-OBS)"
        )
    return list(exposures.values())


def sheet_rows(exposures: Mapping[str, Iterable[Mapping[str, InputFile]]]) -> list[dict[str, str]]:
    """The rows of a sheet of exposures (column -> cell): kind (dark, flat) -> exposures (product -> file).

    An exposure is named after its first file; of equal names the later ones get a number.
    """
    rows: list[dict[str, str]] = []
    n_of_name: dict[str, int] = {}
    for kind, of_kind in exposures.items():
        for exposure in of_kind:
            name = next(iter(exposure.values())).root
            number = n_of_name[name] = n_of_name.get(name, 0) + 1
            # In a sheet, $$ is a dollar sign.
            cells = {product: file.path.replace("$", "$$") for product, file in exposure.items()}
            rows.append({"kind": kind, "exposure": name if number == 1 else f"{number}_{name}", **cells})
    return rows


def write_sheet(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write the sheet of exposures (`badpix.exposures.sheet`) with these `rows`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
