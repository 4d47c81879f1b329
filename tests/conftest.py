"""The order of the tests, and the environment that each of them has."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def crds_environment() -> Iterator[None]:
    """The CRDS settings as before the test: scripts that run in this process set them.

    Its further variables stay, because the package crds sets them at its first import only.
    """
    names = ("CRDS_PATH", "CRDS_SERVER_URL", "CRDS_CONTEXT")
    before = {name: os.environ.get(name) for name in names}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs of the workflow before tests of the library, and first of all those in a group of pytest-xdist.

    A group is one unit of work: at the end of the run, all other processes would wait for it. A scheduler mostly waits,
    so the remaining processes have its processor meanwhile.
    """
    items.sort(key=lambda item: (item.get_closest_marker("xdist_group") is None, "unit" in item.path.parts))
