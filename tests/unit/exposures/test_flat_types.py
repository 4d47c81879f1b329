"""Which finished product replaces the flats of which detector."""

import pytest

from badpix.exposures.flat_types import products_of, refuse_without_product
from badpix.exposures.inventory import Exposure, Inventory, InventoryError
from badpix.instrument.file_names import InputError
from unit.exposures.test_checks import DETECTORS

FILES = {
    "a.fits": {"problem": None, "keywords": {"DETECTOR": "NRCA1"}},
    "b.fits": {"problem": None, "keywords": {"DETECTOR": "NRCB1 "}},
    "again.fits": {"problem": None, "keywords": {"DETECTOR": "NRCA1"}},
    "no.fits": {"problem": None, "keywords": {}},
    "any.fits": {"problem": None, "keywords": {"DETECTOR": "ANY"}},
    "gone.fits": {"problem": "cannot be read: No such file or directory"},
}


def products(setting):
    return products_of(setting, FILES.get, DETECTORS)


def test_each_detector_has_its_own_file():
    assert products(None) == {}
    assert products("a.fits") == {"NRCA1": "a.fits"}
    assert products(["a.fits", "b.fits"]) == {"NRCA1": "a.fits", "NRCB1": "b.fits"}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("gone.fits", "flat_types_from: 'gone.fits': cannot be read: No such file"),
        ("no.fits", "'no.fits': DETECTOR is missing, not a detector of JWST"),
        ("any.fits", "DETECTOR is ANY"),
        (["a.fits", "again.fits"], "'a.fits' and 'again.fits' are both of NRCA1"),
    ],
)
def test_a_file_without_a_detector_of_its_own_is_refused(setting, words):
    with pytest.raises(InputError) as caught:
        products(setting)
    assert words in str(caught.value)


def inventory(*mask_ids, flats=()):
    """An inventory with a dark for each mask."""
    found = Inventory()
    for mask_id in mask_ids:
        kinds = {"darks": {"d": None}, "flats": {name: Exposure(name, "flats", {}, {}) for name in flats}}
        detector = mask_id.split("/")[0]
        found.masks[mask_id] = found.detectors[detector] = kinds
        found.rejected[detector] = {}
    return found


def test_a_detector_without_a_file_has_no_mask():
    found = inventory("NRCA1", "NRCB1/epochs/first", "NRCB1/epochs/second")
    refuse_without_product(found, products("a.fits"))
    assert list(found.masks) == list(found.detectors) == ["NRCA1"]
    assert found.refused == {
        mask_id: f"{mask_id}: no mask, because flat_types_from has no file of NRCB1, only a.fits of NRCA1"
        for mask_id in ("NRCB1/epochs/first", "NRCB1/epochs/second")
    }
    with pytest.raises(InventoryError, match="NRCB1: no mask, because flat_types_from has no file of NRCB1"):
        refuse_without_product(inventory("NRCB1"), products("a.fits"))


def test_flats_beside_a_product_are_refused():
    with pytest.raises(InputError, match="not allowed with flats, of which there are 2 .the first is f1."):
        refuse_without_product(inventory("NRCA1", flats=["f1", "f2"]), products("a.fits"))
