"""Faster start and end of processes that load the JWST packages: the time-saving effect, and no other change."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from badpix.core.startup import read_yaml_in_c

SCRIPTS = str(Path(__file__).resolve().parents[3] / "scripts")

COLLECT = """
import gc, sys
sys.path.insert(0, sys.argv[1])
from badpix.core.startup import importing_much
with importing_much():
    off = not gc.isenabled()
    many = [[] for _ in range(100_000)]
loop = []
loop.append(loop)
del loop
print(int(off), int(gc.isenabled()), len(gc.get_objects()), gc.collect())
"""

FEW = """
import sys
sys.path.insert(0, sys.argv[1])
from badpix.core.startup import detector1_pipeline
found = detector1_pipeline()
few = "jwst.ami" not in sys.modules and "matplotlib" not in sys.modules
again = detector1_pipeline() is found
import jwst
for name in ("__wrapped__", "__warningregistry__"):  # as tools ask that inspect all modules
    hasattr(jwst.pipeline, name)
still_few = "jwst.ami" not in sys.modules
from jwst.clean_flicker_noise import clean_flicker_noise
takes_part = clean_flicker_noise.do_correction.__module__ == "jwst.clean_flicker_noise.clean_flicker_noise"
from jwst.pipeline import Detector1Pipeline, Image2Pipeline
same = Detector1Pipeline is found and jwst.pipeline.Image2Pipeline is Image2Pipeline
print(int(few), int(again), int(still_few), int(takes_part), int(same), int(hasattr(jwst.pipeline, "Nothing")))
"""

END = """
import atexit, gc, sys
sys.path.insert(0, sys.argv[1])
atexit.register(lambda: print(gc.get_freeze_count()))  # the function registered first runs last
from badpix.core.logs import logging_to
many = [[] for _ in range(100_000)]
with logging_to(sys.argv[2], "nothing"):
    pass
"""


def numbers_printed(program, *arguments):
    done = subprocess.run([sys.executable, "-c", program, SCRIPTS, *arguments], check=True, capture_output=True)
    return [int(word) for word in done.stdout.split()]


def test_only_objects_made_after_the_imports_are_collected():
    off_inside, on_again, n_tracked, n_collected = numbers_printed(COLLECT)
    assert off_inside and on_again
    assert n_tracked < 10_000 and n_collected >= 1


def test_other_pipelines_are_imported_when_they_are_used():
    few, again, still_few, takes_part, same, nothing = numbers_printed(FEW)
    assert few and again and still_few and takes_part and same and not nothing


def test_a_job_ends_without_a_collection_of_its_objects(tmp_path):
    (n_frozen,) = numbers_printed(END, str(tmp_path / "log"))
    assert n_frozen > 100_000


def schemas():
    """The schemas and manifests that the datamodels load."""
    import asdf_standard
    import stdatamodels

    folders = [Path(package.__file__).parent for package in (asdf_standard, stdatamodels)]
    return sorted(path for folder in folders for path in folder.rglob("*.yaml"))


def test_yaml_in_c_gives_the_same_values(monkeypatch):
    if not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")
    # Another test of this process may have called it before; what is set here is undone after the test.
    monkeypatch.setattr(yaml, "SafeLoader", yaml.loader.SafeLoader)
    paths = schemas()[::20]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    assert len(texts) > 10
    before = [yaml.safe_load(text) for text in texts]
    read_yaml_in_c()
    assert yaml.SafeLoader is yaml.CSafeLoader
    assert [yaml.safe_load(text) for text in texts] == before
