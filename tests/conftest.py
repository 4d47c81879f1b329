"""The order of the tests, and the environment that each of them has."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The time that hypothesis gives an example is that of the clock, and the machine may be busy.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")

# Tests for the time in which the run that most tests need is made: they do not need it, and take as long.
MEANWHILE = ("test_depths.py", "test_docs.py")


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


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests so that no process waits for another, and none works alone at the end of the run.

    First the tests of a scheduler, which are a group of pytest-xdist, that is, one unit of work; a scheduler mostly
    waits. Then those of MEANWHILE. Then the first test of each file, all second tests and so on: the first test of a
    file often makes a run that the others look at. Last the tests of the library, a group for each file, so that its
    fixtures are made once; files with many tests first.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    place = {item: number for of_file in files.values() for number, item in enumerate(of_file)}

    def order(item: pytest.Item) -> tuple[bool, bool, bool, int]:
        is_unit = "unit" in item.path.parts
        number = -len(files[item.path]) if is_unit else place[item]
        return item.get_closest_marker("xdist_group") is None, item.path.name not in MEANWHILE, is_unit, number

    items.sort(key=order)
    for item in items:
        if "unit" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
