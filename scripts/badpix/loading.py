"""What makes the packages of JWST, which load thousands of files and objects, cost a process less time."""

import gc

import yaml


def read_yaml_in_c():
    """Let `yaml.safe_load` read with libyaml, if PyYAML was built with it; to be called before the packages load.

    asdf reads its files so, but the schemas and manifests that it starts with in Python, which takes ten times as long.
    """
    if yaml.__with_libyaml__:
        yaml.SafeLoader = yaml.CSafeLoader


def spare_the_collector():
    """Leave all objects that there are now out of later garbage collections.

    Those of imported modules, hundreds of thousands, stay to the end anyway, and stpipe collects after every step.
    """
    gc.collect()
    gc.freeze()
