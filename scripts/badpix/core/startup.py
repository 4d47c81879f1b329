"""What makes the packages of JWST, which load thousands of files and objects, cost a process less time.

Each function is here for the time that it saves (`benchmarks/plain.py`, whole processes, without and with it): schemas
read in C 1.6 s and 1.2 s for the mask's datamodel; imports without garbage collection 3.0 s and 1.9 s for those of the
pipeline and the collections of its 17 steps; the quick end 2.3 s and 2.0 s for the pipeline's imports alone.
"""

import atexit
import gc
from contextlib import contextmanager

import yaml


def read_yaml_in_c():
    """Let `yaml.safe_load` read with libyaml, if PyYAML was built with it; to be called before the packages load.

    asdf reads its files so, but the schemas and manifests that it starts with in Python.
    """
    if yaml.__with_libyaml__:
        yaml.SafeLoader = yaml.CSafeLoader


@contextmanager
def importing_much():
    """Around imports of hundreds of thousands of objects: no garbage is looked for, now and ever, among them.

    They stay to the end anyway, and stpipe has all objects looked through after every step.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
    gc.freeze()


def end_quickly():
    """Let the process end without a look through all its objects, which takes more than half a second."""
    atexit.register(gc.freeze)
