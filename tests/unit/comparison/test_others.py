"""The medians of the other exposures: right in every block, with a memory that does not grow with the exposures."""

import tracemalloc

import numpy as np
import pytest

from badpix.comparison import others as others_module
from badpix.comparison.others import Others

SHAPES = {"slope": (3, 7), "cells": (5,), "variance": (2, 2)}


def values(number):
    rng = np.random.default_rng(number)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}


@pytest.mark.parametrize("block_bytes", [1, 40, 2**22], ids=["a value", "some values", "all values"])
@pytest.mark.parametrize("n_exposures", [3, 4, 9])
def test_each_quantity_is_the_median_of_the_others(n_exposures, block_bytes, monkeypatch):
    monkeypatch.setattr(others_module, "BLOCK_BYTES", block_bytes)
    exposures = [values(number) for number in range(n_exposures)]
    with Others(iter(exposures)) as others:
        for number in range(n_exposures):
            found = others.of(number)
            assert list(found) == list(SHAPES)
            for name, shape in SHAPES.items():
                rest = [exposure[name] for place, exposure in enumerate(exposures) if place != number]
                assert found[name].shape == shape and found[name].dtype == np.float32
                np.testing.assert_allclose(found[name], np.median(rest, axis=0), rtol=1e-6)


def test_the_memory_does_not_grow_with_the_exposures():
    def peak(n_exposures):
        tracemalloc.start()
        image = np.random.default_rng(1).standard_normal((32, 2040)).astype(np.float32)
        with Others({"slope": image + number} for number in range(n_exposures)) as others:
            others.of(0)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(320) < 1.1 * peak(80)
