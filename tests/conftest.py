"""The order of the tests, and the environment that each of them has."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """The environment variables as before the test: scripts that run in this process set those of CRDS."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs of the workflow before tests of the library, and first of all those in a group of pytest-xdist.

    A group is one unit of work: at the end of the run, all other processes would wait for it. A scheduler mostly waits,
    so the remaining processes have its processor meanwhile.
    """
    items.sort(key=lambda item: (item.get_closest_marker("xdist_group") is None, "unit" in item.path.parts))
