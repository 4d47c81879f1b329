"""The exposures of a vote: selection, required numbers, and the common geometry."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from badpix.config.settings import KINDS
from badpix.core.errors import BadExposure, TooFewExposures
from badpix.core.reasons import too_few
from badpix.formats.comparison_file import outlier_warnings, read_comparison, rejectable
from badpix.formats.flat_product import FlatProduct, read_flat_product
from badpix.formats.gain_file import Gain, read_gain
from badpix.formats.input_files import input_file, product_inputs
from badpix.formats.product_file import require_settings
from badpix.formats.provenance import Provenance, versions
from badpix.formats.response_file import Responses
from badpix.formats.statistics_set import Exposure, Segment, exposures_of, read_set
from badpix.instrument.depth import least_groups
from badpix.instrument.detectors import Detector
from badpix.instrument.geometry import Geometry, reference_pixels
from badpix.instrument.segments import exposure_of
from badpix.vote.settings import RequiredExposures

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class VoteFiles:
    """The files that a vote reads.

    `darks` and `flats` are statistics files, `responses` the responses of the flats. `comparison` is the comparison of
    the exposures, None without it. `rejected` maps inputs that an earlier stage rejected to the reason. `manual_flags`
    is a table of flags that the mask gets besides those of the vote, or None. `made_with` maps kinds and `responses` to
    the settings that the files must have been made with. `flat_types` is a finished product in place of flats, or None.
    `reference_pixels` are the measurements of the reference pixels of the darks, if these are searched.
    `gain` is a file of `badpix.formats.gain_file`, None if no threshold is in electrons, or if the gain is configured.
    `earlier` are the evidence files of the masks of the epochs before, for intermittent pixels.
    """

    darks: Sequence[str] = ()
    flats: Sequence[str] = ()
    responses: Responses = field(default_factory=Responses)
    comparison: str | None = None
    rejected: Mapping[str, str] = field(default_factory=dict)
    manual_flags: str | None = None
    made_with: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    flat_types: str | None = None
    reference_pixels: Sequence[str] = ()
    gain: str | None = None
    earlier: Sequence[str] = ()

    @classmethod
    def of_rule(cls, inputs: Mapping, params: Mapping) -> "VoteFiles":
        """From the named inputs and parameters of a rule (any objects with the `get` of a mapping)."""
        return cls(
            list(inputs.get("darks", ())),
            list(inputs.get("flats", ())),
            Responses(inputs.get("response"), tuple(inputs.get("responses", ()))),
            first_path(inputs.get("comparison")),
            dict(params.get("rejected") or {}),
            inputs.get("manual_flags"),
            dict(params.get("made_with") or {}),
            inputs.get("flat_types"),
            list(inputs.get("reference_pixels", ())),
            first_path(inputs.get("gain")),
            list(inputs.get("earlier", ())),
        )

    def provenance(self, settings: Mapping[str, object]) -> Provenance:
        """The Provenance of a file that a vote with `settings` makes."""
        made = {
            "statistics": [*self.darks, *self.flats],
            "response": self.responses.mean,
            "exposure_response": self.responses.single,
            "reference_statistics": self.reference_pixels,
            "gain": self.gain,
            "earlier": self.earlier,
        }
        given = {"comparison": self.comparison, "manual_flags": self.manual_flags, "flat_types": self.flat_types}
        inputs = (input_file(product, path) for product, path in given.items() if path)
        return Provenance(settings, (*product_inputs(made), *inputs), versions("numpy", "scipy"))


def first_path(paths: str | Sequence[str] | None) -> str | None:
    """The path, or the first of several paths; None without a path."""
    return str(paths if isinstance(paths, str) else paths[0]) if paths else None


@dataclass(frozen=True)
class ExposureSet:
    """The exposures of one detector that vote.

    `rejected` maps the exposures that do not vote to the reason. `warnings` are lines on outliers that vote.
    `geometry` is common to all exposures. `reference_pixels` is a boolean image (y, x), `gain` the Gain of the
    reference file or None.
    """

    detector: Detector
    geometry: Geometry
    reference_pixels: np.ndarray
    darks: tuple[Exposure, ...]
    flats: tuple[Exposure, ...]
    rejected: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    flat_product: FlatProduct | None = None
    gain: Gain | None = None

    @property
    def science(self) -> np.ndarray:
        """Boolean image (y, x) of the pixels that may be flagged."""
        return ~self.reference_pixels

    def of(self, kind: str) -> tuple[Exposure, ...]:
        """The exposures of `kind` (darks, flats)."""
        return {"darks": self.darks, "flats": self.flats}[kind]

    @property
    def segments(self) -> list[Segment]:
        """All segments, darks first."""
        return [segment for kind in KINDS for exposure in self.of(kind) for segment in exposure.segments]

    @property
    def n_exposures(self) -> int:
        """The number of darks or the number of flats, whichever is larger."""
        return max(len(self.of(kind)) for kind in KINDS)

    def dark_groups(self) -> list[int]:
        """NGROUPS of each dark."""
        return [dark.header["NGROUPS"] for dark in self.darks]

    def shallow_darks(self, min_darks: int) -> frozenset[str]:
        """The darks without a vote in the tests that depend on the number of groups (`badpix.instrument.depth`)."""
        least = least_groups(self.dark_groups(), min_darks)
        return frozenset(dark.name for dark in self.darks if dark.header["NGROUPS"] < least)

    def only(self, kind: str) -> "ExposureSet":
        """The exposures of `kind` (darks, flats), without those of the other kind and without a product."""
        darks, flats = (self.of(each) if each == kind else () for each in KINDS)
        return replace(self, darks=darks, flats=flats, flat_product=None)

    def without(self, name: str) -> "ExposureSet":
        """All exposures except `name`."""
        darks, flats = (tuple(e for e in self.of(kind) if e.name != name) for kind in KINDS)
        return replace(self, darks=darks, flats=flats)


def select_exposures(
    files: VoteFiles, detector: Detector, required: RequiredExposures, planes: Iterable[str] | None = None
) -> ExposureSet:
    """Read the headers of the statistics files, reject unusable exposures and outliers, and check the rest.

    `planes` are the planes of the statistics files that are verified; default: all.

    Raises TooFewExposures when fewer than `required` remain, BadExposure when an exposure is rejected and
    `on_bad_exposure` is `fail`, and ValueError for exposures of different geometry and for a wrong product.
    """
    compared, rejected, used = read_comparison(files.comparison), dict(files.rejected), {}
    outliers = rejectable(compared) if required.reject_outliers else {}
    warnings = outlier_warnings(compared, required.reject_outliers)
    paths = {"darks": files.darks, "flats": files.flats}
    for kind in KINDS:
        usable, unusable = read_set(paths[kind], files.made_with.get(kind), planes)
        rejected.update(unusable)
        used[kind] = exposures_of([segment for segment in usable if exposure_of(segment.name) not in outliers])
        rejected.update({s.name: outliers[exposure_of(s.name)] for s in usable if exposure_of(s.name) in outliers})
    for path in filter(None, (files.responses.mean, *files.responses.single)):
        require_settings(path, files.made_with.get("responses"))
    for name, reason in sorted(rejected.items()):
        logger.warning("rejected: %s: %s", name, reason)
    if rejected and required.on_bad_exposure == "fail":
        raise BadExposure("; ".join(f"{name}: {reason}" for name, reason in sorted(rejected.items())))
    for kind in KINDS:
        if paths[kind]:
            require_enough(detector.name, kind, len(used[kind]), required.minimum(kind), rejected)
    geometry = common_geometry([s for exposures in used.values() for e in exposures for s in e.segments])
    reference = reference_pixels(geometry, detector)
    product = read_flat_product(files.flat_types, geometry, detector) if files.flat_types else None
    gain = read_gain(files.gain, geometry) if files.gain else None
    return ExposureSet(detector, geometry, reference, used["darks"], used["flats"], rejected, warnings, product, gain)


def require_enough(detector: str, kind: str, n_exposures: int, minimum: int, rejected: Mapping[str, str]) -> None:
    """Check the number of exposures of a kind.

    Parameters
    ----------
    detector : str
        Name of the detector, for the message.
    kind : str
        Kind of the exposures: darks or flats.
    n_exposures, minimum : int
        Number of usable exposures, and the smallest number allowed.
    rejected : mapping of str -> str
        Rejected exposures and the reasons, for the message.

    Raises
    ------
    TooFewExposures
        If `n_exposures` is below `minimum`.
    """
    if n_exposures < minimum:
        raise TooFewExposures(too_few(detector, kind, n_exposures, minimum, rejected), rejected)


def common_geometry(segments: Sequence[Segment]) -> Geometry:
    """The geometry that all segments share.

    Raises ValueError without segments, and for different geometries with the names of two such segments.
    """
    if not segments:
        raise ValueError("no exposure can be used")
    first = segments[0]
    for segment in segments[1:]:
        if segment.geometry != first.geometry:
            raise ValueError(
                f"exposures of different geometry: {first.name} is {first.geometry}, {segment.name} is"
                f" {segment.geometry}"
            )
    return first.geometry


def observation_dates(segments: Sequence[Segment]) -> list[str]:
    """DATE-OBS of the segments that have this keyword."""
    return [segment.header["DATE-OBS"] for segment in segments if segment.header.get("DATE-OBS")]
