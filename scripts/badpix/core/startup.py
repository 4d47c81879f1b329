"""Faster start and end of processes that load the JWST packages, with their thousands of files and objects.

Process times without and with each function (`benchmarks/plain.py`): the mask's datamodel 1.6 s and 1.2 s with schemas
read in C; imports of the pipeline and garbage collections of its 17 steps 3.0 s and 1.9 s with `importing_much`;
imports of the pipeline alone 2.3 s and 2.0 s with `end_quickly`.
"""

import atexit
import gc
import importlib.metadata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml


def read_yaml_in_c() -> None:
    """Make `yaml.safe_load` use libyaml, if PyYAML was built with it; call it before the JWST packages are imported.

    asdf uses libyaml for its files, but not for the schemas and manifests that it loads at its start.
    """
    if yaml.__with_libyaml__:
        yaml.SafeLoader = yaml.CSafeLoader


@contextmanager
def importing_much() -> Iterator[None]:
    """For imports of the pipeline: no garbage collection, and no list of all installed packages with their files.

    Imported objects live until the process ends, and stpipe runs a collection of all objects after every step.
    photutils lists the packages to look up its own, which has its name also without the list.
    """
    list_packages = importlib.metadata.packages_distributions
    importlib.metadata.packages_distributions = dict
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        importlib.metadata.packages_distributions = list_packages
    gc.freeze()


def detector1_pipeline() -> Any:
    """The class Detector1Pipeline; the first call in a process takes seconds."""
    with importing_much():
        from jwst.pipeline import Detector1Pipeline
    return Detector1Pipeline


def end_quickly() -> None:
    """Skip the garbage collection of all objects at the end of the process, which takes more than half a second."""
    atexit.register(gc.freeze)
