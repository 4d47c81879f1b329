"""Presets: which file a value of the key is, and whose keys win."""

import hashlib
from pathlib import Path

import pytest
import yaml

from badpix.config.check import ConfigError, load_schema, load_steps, validated
from badpix.config.command import is_snakemake, lost_options
from badpix.config.presets import OFFICIAL, preset_names, preset_text, problems_with_preset, record_text, with_preset

CONFIG = Path(__file__).resolve().parents[3] / "config"
PRESETS = CONFIG / "presets"
SCHEMA = load_schema(CONFIG / "schemas" / "config.schema.yaml")
STEPS = load_steps(CONFIG / "schemas" / "detector1_steps.json")
DEFAULTS = {key: node["default"] for key, node in SCHEMA["properties"].items()}
FLIGHT = yaml.safe_load((PRESETS / "flight.yaml").read_text(encoding="utf-8"))


def resolve(**own):
    """The configuration with the user's keys `own` and the preset, and the Preset."""
    flags = DEFAULTS["flag_values"] | own.get("flag_values", {})
    return with_preset(DEFAULTS | own | {"flag_values": flags}, own, SCHEMA, PRESETS)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """A function that writes a preset into the working directory: (text, name) -> name."""
    monkeypatch.chdir(tmp_path)

    def file(text, name="mine.yaml"):
        Path(name).write_text(text, encoding="utf-8")
        return name

    return file


@pytest.mark.parametrize("value", [None, OFFICIAL])
def test_without_a_preset_the_defaults_stay(value):
    config, preset = resolve(preset=value)
    assert preset is None and config == DEFAULTS | {"preset": value}
    assert OFFICIAL not in {path.stem for path in PRESETS.iterdir()}, "the name is that of the defaults"


@pytest.mark.parametrize("value", ["flight", str(PRESETS / "flight.yaml")])
def test_a_preset_is_as_its_file_before_the_own_file(value):
    config, preset = resolve(preset=value, darks="data/darks")
    flags = DEFAULTS["flag_values"] | FLIGHT["flag_values"]
    assert config == DEFAULTS | FLIGHT | {"preset": value, "darks": "data/darks", "flag_values": flags}
    sha256 = hashlib.sha256((PRESETS / "flight.yaml").read_bytes()).hexdigest()
    assert preset.record == {"name": "flight", "sha256": sha256, "own": []}
    assert record_text(preset.record) == f"Preset flight (SHA-256 {sha256[:16]}...)"
    assert validated(config, SCHEMA, STEPS)["noisy_test"] == "cds"


def test_own_keys_win_at_any_depth_and_are_named():
    own = {"preset": "flight", "noisy_test": "slopes", "hot_rate_threshold": 1.0, "flag_values": {"hot": ["WARM"]}}
    config, preset = resolve(**own)
    assert config["noisy_test"] == "slopes"
    assert config["flag_values"] == DEFAULTS["flag_values"] | FLIGHT["flag_values"] | {"hot": ["WARM"]}
    assert preset.own == ("noisy_test",), "other values only"
    assert record_text(preset.record).endswith("...); not from it, but set by the configuration: noisy_test")
    config, preset = resolve(preset="flight", flag_values={"noisy": ["HOT"]})
    assert (config["flag_values"]["noisy"], preset.own) == (["HOT"], ("flag_values",))


def test_a_copy_of_all_defaults_is_refused_for_it_undoes_the_preset():
    with pytest.raises(ConfigError, match=r"preset: flight has no effect.*copy of config/config.yaml.*noisy_test"):
        resolve(**DEFAULTS | {"preset": "flight"})
    assert resolve(**DEFAULTS | FLIGHT | {"preset": "flight"})[1].own == ()


@pytest.mark.parametrize("value", ["Flight", "fligth", "flight.yaml", "./flight.yaml", "presets/flight.yml"])
def test_an_unknown_name_is_refused_with_the_names(value, write):
    with pytest.raises(ConfigError) as error:
        resolve(preset=value)
    (problem,) = error.value.problems
    assert f"preset: {value!r} is not allowed: no such" in problem
    assert "it must be null, official, flight, or the path of a file; did you mean flight?" in problem
    assert preset_names(PRESETS) == ["official", "flight"]


def test_a_path_is_relative_to_the_working_directory_and_may_have_variables(write, monkeypatch, tmp_path):
    write("max_jump_limit: 7\n")
    monkeypatch.setenv("PRESET_FOLDER", str(tmp_path))
    for value in ("mine.yaml", "./mine.yaml", "$PRESET_FOLDER/mine.yaml"):
        config, preset = resolve(preset=value)
        assert (config["max_jump_limit"], preset.name) == (7, "mine.yaml")
        assert preset_text(preset.record).startswith("mine.yaml (SHA-256 ")
    write("max_jump_limit: 8\n", "flight")
    assert resolve(preset="flight")[0]["max_jump_limit"] == DEFAULTS["max_jump_limit"]
    assert resolve(preset="./flight")[0]["max_jump_limit"] == 8
    with pytest.raises(ConfigError, match="'mine' is not allowed: no such preset"):
        resolve(preset=write("max_jump_limit: 8\n", "mine"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [\n", "cannot be read as YAML"),
        ("- darks\n", "is not a mapping of keys to values"),
        ("", "is not a mapping of keys to values"),
        ("preset: flight\n", "a preset cannot have another preset"),
        ("min_darks: 1\nmin_darks: 2\n", "line 2: the key min_darks is there already"),
    ],
)
def test_a_damaged_file_is_refused(text, problem, write):
    with pytest.raises(ConfigError, match=f"preset: mine.yaml.*{problem}"):
        resolve(preset=write(text))


def test_a_problem_of_a_preset_names_it(write):
    own = {"preset": write("noisy_test: mad\nmin_darks: -1\n"), "darks": "data/darks", "min_darks": -2}
    config, preset = resolve(**own)
    with pytest.raises(ConfigError) as error:
        validated(config, SCHEMA, STEPS)
    of_preset, of_user = sorted(problems_with_preset(error.value, preset, own).problems, reverse=True)
    assert of_preset.endswith("it must be one of slopes, cds (a key of the preset mine.yaml)")
    assert of_user.startswith("min_darks: -2 is not allowed") and "preset" not in of_user


@pytest.mark.parametrize(
    ("words", "lost"),
    [
        (["--configfile", "a.yaml", "b.yaml", "--config", "c=1", "d=2"], []),
        (["--configfile", "a.yaml", "--configfiles", "b.yaml"], ["--configfile"]),
        (["--configfile=a.yaml", "--cores", "2", "--configfile", "b.yaml"], ["--configfile"]),
        (["--config", "a=1", "-C", "b=2"], ["--config"]),
        (["--configfile", "a.yaml", "--", "--configfile"], []),
    ],
)
def test_a_repeated_option_would_lose_its_first_values(words, lost):
    assert [problem.split()[0] for problem in lost_options(words)] == lost


@pytest.mark.parametrize(
    ("words", "profiles", "lost"),
    [
        ([], ["configfile: base.yaml\n"], None),
        (["--configfile", "a.yaml"], ["configfiles: [base.yaml]\n"], "the command and the profile 0.yaml"),
        (["--configfile=a.yaml"], ["cores: 1\n", "configfile: b.yaml\n"], "the command and the profile 1.yaml"),
        (
            ["--cores", "1"],
            ["configfile: a.yaml\n", "configfile: b.yaml\n"],
            "the profile 0.yaml and the profile 1.yaml",
        ),
        (["-C", "a=1"], ["config: {b: 2}\n"], "the command and the profile 0.yaml"),
        (["--configfile", "a.yaml"], ["config: {b: 2}\n", "- a\n", "a: [\n", "configfile:\n"], None),
    ],
)
def test_a_profile_with_the_same_option_would_lose_values(words, profiles, lost, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, text in enumerate(profiles):
        (tmp_path / f"{number}.yaml").write_text(text)
    found = lost_options(words, [f"{number}.yaml" for number in range(len(profiles))])
    assert [problem.split(" is given by ")[1].split(", and")[0] for problem in found] == ([lost] if lost else [])


def test_only_commands_of_snakemake_are_looked_at():
    assert is_snakemake("/env/bin/snakemake") and is_snakemake("/env/lib/snakemake/__main__.py")
    assert not is_snakemake("masks.py") and not is_snakemake("")
