"""Faster start and end of processes that load the JWST packages, with their thousands of files and objects.

Process times without and with each function (`benchmarks/plain.py`): the mask's datamodel 1.6 s and 1.2 s with schemas
read in C; imports of the pipeline and garbage collections of its 17 steps 3.0 s and 1.9 s with `importing_much`;
imports of the pipeline alone 2.3 s and 2.0 s with `end_quickly`.
"""

import atexit
import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType
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
    """For imports of the pipeline: no garbage collection.

    Imported objects live until the process ends, and stpipe runs a collection of all objects after every step.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
    gc.freeze()


# The package imports all pipelines of jwst. The module imports the steps of spectra, and its step is off by default.
ALL_PIPELINES, OF_SPECTRA = "jwst.pipeline", "jwst.clean_flicker_noise.clean_flicker_noise"


class _OnFirstUse(MetaPathFinder):
    """Finds the module OF_SPECTRA such that it runs when it is first used, not when it is imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname == OF_SPECTRA else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def _import_without_init(name: str) -> None:
    """Import the package `name`, which is part of another; its `__init__` runs when a name of the package is used."""
    spec = find_spec(name)
    if name in sys.modules or spec is None or spec.loader is None:
        return
    package, loader = module_from_spec(spec), spec.loader

    def on_first_use(attribute: str) -> Any:
        if attribute.startswith("__"):  # tools that inspect all modules ask for such names
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        del vars(package)["__getattr__"]
        loader.exec_module(package)
        return getattr(package, attribute)

    vars(package)["__getattr__"] = on_first_use
    sys.modules[name] = package
    parent, _, own = name.rpartition(".")
    setattr(sys.modules[parent], own, package)


def detector1_pipeline() -> Any:
    """The class Detector1Pipeline; the first call in a process takes seconds.

    A third less time than the import of all pipelines: the other pipelines, and the modules of a step that is off by
    default, are imported when they are used.
    """
    finder = _OnFirstUse()
    sys.meta_path.insert(0, finder)
    try:
        with importing_much():
            _import_without_init(ALL_PIPELINES)
            from jwst.pipeline.calwebb_detector1 import Detector1Pipeline
    finally:
        sys.meta_path.remove(finder)
    return Detector1Pipeline


def end_quickly() -> None:
    """Skip the garbage collection of all objects at the end of the process, which takes more than half a second."""
    atexit.register(gc.freeze)
