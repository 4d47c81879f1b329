"""What a process does so that the packages of JWST load faster, and that it changes nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from badpix.loading import read_yaml_in_c

SCRIPTS = str(Path(__file__).resolve().parents[2] / "scripts")

COLLECT = """
import gc, sys
sys.path.insert(0, sys.argv[1])
from badpix.loading import spare_the_collector
many = [[] for _ in range(100_000)]
spare_the_collector()
loop = []
loop.append(loop)
del loop
print(len(gc.get_objects()), gc.collect())
"""


def test_the_collector_looks_at_what_came_later_only():
    done = subprocess.run([sys.executable, "-c", COLLECT, SCRIPTS], check=True, capture_output=True)
    looked_at, collected = (int(word) for word in done.stdout.split())
    assert looked_at < 10_000 and collected >= 1


def schemas():
    """The schemas and manifests that the datamodels load."""
    import asdf_standard
    import stdatamodels

    folders = [Path(package.__file__).parent for package in (asdf_standard, stdatamodels)]
    return sorted(path for folder in folders for path in folder.rglob("*.yaml"))


def test_yaml_says_the_same(monkeypatch):
    if not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")
    monkeypatch.setattr(yaml, "SafeLoader", yaml.SafeLoader)  # undone after the test
    paths = schemas()[::20]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    assert len(texts) > 10
    before = [yaml.load(text, yaml.SafeLoader) for text in texts]
    python = yaml.SafeLoader
    read_yaml_in_c()
    assert yaml.SafeLoader is not python
    assert [yaml.safe_load(text) for text in texts] == before
