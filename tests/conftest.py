"""The order of the tests: those that wait go first."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs of the workflow before tests of the library, and first of all those in a group of pytest-xdist.

    A group is one unit of work: at the end of the run, all other processes would wait for it. A scheduler mostly waits,
    so the remaining processes have its processor meanwhile.
    """
    items.sort(key=lambda item: (item.get_closest_marker("xdist_group") is None, "unit" in item.path.parts))
