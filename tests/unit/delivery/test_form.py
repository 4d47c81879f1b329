"""The fields of the delivery form that stay open."""

import pytest

from badpix.delivery.form import Delivered, DeliverySettings, form_fields
from badpix.formats.certificate_file import Certificate

NOTHING = dict.fromkeys(DeliverySettings.__dataclass_fields__)
HEADER = {"INSTRUME": "NIRISS", "DETECTOR": "NIS", "DESCRIP": "d", "USEAFTER": "2024-01-01T00:00:00"}


@pytest.mark.parametrize(("author", "given", "deliverer"), [
    ("A. Name", None, "A. Name"), ("A. Name", "B. Name", "B. Name"), ("jwst_reffiles", None, None),
    ("Your Name", None, None), ("Your Name", "B. Name", "B. Name"), ("A. Name", "Your Name", None),
])  # fmt: skip
def test_a_placeholder_is_no_deliverer(author, given, deliverer):
    mask = Delivered(HEADER | {"AUTHOR": author}, Certificate("passed", "m.fits", ""), "m", "t", "c")
    assert form_fields(DeliverySettings(**NOTHING | {"deliverer": given}), mask)["deliverer"] == deliverer
