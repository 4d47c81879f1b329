"""Write the folder of the delivery of a mask.

Reads the mask, its evidence, tables and comparison, and the headers of the statistics of its exposures. Writes a copy
of the mask under a unique name, its certificate, the delivery form, summary, comparison, lists of pixels and checksums.
The folder is complete or not there. A form filled in by hand in an earlier delivery is kept in the folder of the mask.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from astropy.io import fits

from badpix.core.content import cache_folder, sha256_of
from badpix.core.crds_settings import set_crds_environment
from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.delivery.certify import MaskRefused, NotCertified, certify
from badpix.delivery.current import cached_masks, comparison
from badpix.delivery.folder import FORM, complete_folder, copy_mask, delivery_name, keep_edited_form
from badpix.delivery.form import Delivered, DeliverySettings, form_fields, form_text, missing_fields
from badpix.delivery.pixel_lists import images_by_type, write_pixel_lists
from badpix.formats.certificate_file import CERTIFICATE, NOT_RUN, REFUSED, write_certificate
from badpix.formats.evidence_file import read_evidence
from badpix.formats.mask_file import read_mask, read_warnings
from badpix.instrument.geometry import Geometry
from badpix.mask.selectors import selected_for


@dataclass(frozen=True)
class DeliveryFiles:
    """The files of a mask: `tables` and `pixels` are copied; `quality_check` has no entry where no ramp was given.

    `comparison` and `science_check` have no entries where they are not configured.
    """

    mask: str
    evidence: str
    statistics: Sequence[str]
    tables: Sequence[str]
    quality_check: Sequence[str] = ()
    comparison: Sequence[str] = ()
    pixels: Sequence[str] = ()
    science_check: Sequence[str] = ()


@dataclass(frozen=True)
class DeliveryOptions:
    """The mask's Geometry of the exposures, its epoch and variant, the key `delivery`, and the settings of CRDS."""

    geometry: Mapping
    division: str
    delivery: Mapping
    crds: Mapping = field(default_factory=lambda: dict.fromkeys(("path", "server_url", "context")))


def main(files: DeliveryFiles, output: str, options: DeliveryOptions) -> None:
    """Write the folder `output`. Raises MaskRefused or NotCertified unless CRDS accepts the mask."""
    if kept := keep_edited_form(Path(output)):
        logger.warning("the earlier delivery form was filled in by hand; it is kept as %s", kept)
    complete_folder(Path(output), lambda folder: fill(folder, files, options))
    logger.info("delivery: %s", output)


def fill(folder: Path, files: DeliveryFiles, options: DeliveryOptions) -> None:
    """Write all files of the delivery but for the checksums into `folder`."""
    source = Path(files.mask)
    stem = delivery_name(fits.getheader(source), options.division, sha256_of(source))
    mask = folder / f"{stem}.fits"
    copy_mask(source, mask)
    headers = [header for path in files.statistics if not (header := fits.getheader(path)).get("REJECTED", False)]
    certificate = certify(mask, headers, options.crds, {h["CRDS_CTX"] for h in headers if h.get("CRDS_CTX")})
    if certificate.status == REFUSED:
        raise MaskRefused(f"CRDS ({certificate.context}) refuses {source}: {'; '.join(certificate.errors)}")
    if certificate.status == NOT_RUN:
        raise NotCertified(f"no delivery of {source}, because crds certify was not run: {certificate.reason}")
    write_certificate(folder / CERTIFICATE, certificate)
    write_text(folder / "certify.txt", certificate.output)
    for path in (*files.tables, *files.quality_check, *files.pixels):
        shutil.copyfile(path, folder / Path(path).name)
    if files.science_check:
        (folder / "science_check").mkdir()
    for path in map(Path, files.science_check):
        shutil.copyfile(path, folder / "science_check" / path.name)
    set_crds_environment(**options.crds)
    cache = cache_folder(os.environ.get("CRDS_PATH"))
    compared = comparison(files.comparison, certificate.current, cache, mask, folder / "comparison")
    write_text(folder / "comparison.txt", compared + "\n")
    header = fits.getheader(mask)
    tested = f"crds certify in {certificate.context}: 0 errors."
    if files.quality_check:
        tested += " dq_init of the pipeline with the mask: all flags arrive in PIXELDQ of a ramp."
    masks = cached_masks(cache, certificate.replaces)
    replaced = {name: str(fits.getval(path, "USEAFTER")) for name, path in masks.items()}
    for warning in (warnings := tuple(read_warnings(mask))):
        logger.warning("the mask has the warning: %s", warning)
    first_line = compared.partition("\n")[0]
    delivered = Delivered(header, certificate, selected_for(header), tested, first_line, replaced, warnings)
    fields = form_fields(DeliverySettings.from_config(options.delivery), delivered)
    names = {"mask": mask.name, "certificate": f"{CERTIFICATE}, certify.txt", "summary": "summary.csv"}
    write_text(folder / FORM, form_text(fields, delivered, names))
    if missing := missing_fields(fields):
        logger.warning("%s: to fill in, or to configure: %s", FORM, ", ".join(missing))
    frame = Geometry.from_header(header)
    images = images_by_type(read_evidence(files.evidence), Geometry(**options.geometry), read_mask(mask), frame)
    cards = {key: header[key] for key in ("TELESCOP", "INSTRUME", "DETECTOR", "SUBARRAY", "USEAFTER")}
    cards |= {key: header[key] for key in ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")} | {"MASK": mask.name}
    write_pixel_lists(folder, stem, images, frame, cards)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        given = snakemake.input
        main(
            DeliveryFiles(
                given.mask,
                given.evidence,
                list(given.get("statistics", ())),
                [given.summary, given.rejected, given.inputs],
                list(given.get("quality_check", ())),
                list(given.get("comparison", ())),
                list(given.get("pixels", ())),
                list(given.get("science_check", ())),
            ),
            snakemake.output[0],
            DeliveryOptions(
                snakemake.params.geometry, snakemake.params.division, snakemake.params.delivery, snakemake.params.crds
            ),
        )
