"""A run is continued, not repeated: after any change the jobs concerned run again, and no others."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from astropy.io import fits

from badpix.workflow.digest import modules_used
from workflow.conftest import NAMES, NUMBERS
from workflow.runner import PROJECT, copy_run, snakemake, succeed

pytestmark = pytest.mark.pipeline

VOTE = {"bad_pixel_mask": 1, "plots": 1}
COMPARED = {"compare_exposures": 1} | VOTE


@pytest.fixture
def run(three_and_three, tmp_path):
    """A copy of that run that a test may change."""
    return copy_run(three_and_three, tmp_path / "run")


def history(directory):
    return str(fits.getheader(directory / "results" / "NIS" / "test_bpm.fits", 0)["HISTORY"])


def times(directory):
    """Time of modification of all per-exposure products."""
    return {path: path.stat().st_mtime_ns for path in (directory / "results" / "NIS").glob("*s/*.fits")}


def without_prefetch(jobs):
    """Which exposures the references are looked up for does not matter here."""
    return {rule: number for rule, number in jobs.items() if rule != "prefetch_references"}


# The function registered first runs last.
AT_THE_END = """
import atexit, gc, sys
atexit.register(lambda: print("compiler loaded:", "numba" in sys.modules, "kept:", gc.get_freeze_count() > 100_000))
"""


def test_a_second_run_has_nothing_to_do(run, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(AT_THE_END)
    done = succeed(run, environment={"PYTHONPATH": str(tmp_path)})
    assert done.nothing_to_do
    # The end of a run without pages loads no code of the vote, and no object is collected: a second and half a second.
    assert "compiler loaded: False kept: True" in done.output
    products = sorted(path.name.split("_nis_")[1] for path in times(run))
    assert products == sorted(["rate.fits"] * 6 + ["dark_statistics.fits"] * 3 + ["flat_statistics.fits"] * 3)


def test_a_threshold_repeats_the_vote_only(run):
    before = times(run)
    assert succeed(run, config={"high_cr_fraction": 0.5}).jobs == VOTE
    assert times(run) == before
    assert succeed(run, config={"high_cr_fraction": 0.5}).nothing_to_do


@pytest.mark.parametrize("number", [1, 5], ids=["before the others", "after the others"])
@pytest.mark.parametrize("kind", ["darks", "flats"])
def test_a_new_exposure_is_all_that_is_processed(kind, number, run, simulated):
    """Wherever its name comes in the order of the exposures, which is no sign of being new."""
    before, one = times(run), kind.removesuffix("s")
    name = NAMES[kind].format(number)
    assert name not in history(run)
    shutil.copy2(simulated / kind / name, run / kind)
    done = succeed(run)
    expected = {f"detector1_{one}": 1} | COMPARED
    assert without_prefetch(done.jobs) == expected | ({"flat_response": 1} if kind == "flats" else {})
    assert f"{kind}: {name}" in history(run)
    assert f"4 {kind} used" in history(run)
    after = times(run)
    assert {path: after[path] for path in before} == before
    assert succeed(run, "--dry-run").nothing_to_do


@pytest.mark.parametrize("number", NUMBERS)
def test_a_removed_dark_is_left_out_of_the_vote(number, run):
    name = NAMES["darks"].format(number)
    assert name in history(run)
    (run / "darks" / name).unlink()
    assert without_prefetch(succeed(run).jobs) == COMPARED
    assert name not in history(run)
    assert "2 darks used" in history(run)
    assert succeed(run, "--dry-run").nothing_to_do


def test_a_removed_exposure_does_not_hide_a_changed_threshold(run):
    """The reference files are looked up again for another exposure; that must not put off anything else."""
    for kind, name in NAMES.items():
        (run / kind / name.format(NUMBERS[0])).unlink()
    done = succeed(run, "--dry-run", config={"early_cutoff_fraction": 0.5, "detector1_flat": {"jump": {"skip": True}}})
    expected = {"detector1_dark": 2, "detector1_flat": 2}
    assert without_prefetch(done.jobs) == expected | {"flat_response": 1} | COMPARED


def test_the_order_of_the_files_does_not_matter(run):
    darks = [f"darks/{NAMES['darks'].format(number)}" for number in NUMBERS]
    assert succeed(run, "--dry-run", config={"darks": darks}).nothing_to_do
    assert succeed(run, "--dry-run", config={"darks": darks[::-1]}).nothing_to_do
    assert succeed(run, "--dry-run", config={"darks": [darks[1], "darks"]}).nothing_to_do


def test_another_spelling_of_the_results_is_the_same(run):
    done = succeed(run, "--dry-run", config={"results": "./results/"})
    assert done.nothing_to_do
    assert "Relative file path" not in done.output, "Snakemake warns of paths that it cannot match"


def test_a_run_refused_for_too_few_darks_can_be_continued(run):
    before = times(run)
    failed = snakemake(run, config={"min_darks": 9})
    assert failed.status != 0
    assert failed.jobs == {}
    assert "NIS: no mask, because 3 usable darks remain and min_darks is 9." in failed.output
    assert "Traceback" not in failed.output
    assert succeed(run, config={"min_darks": 3}).jobs == VOTE
    assert times(run) == before


def test_a_wrong_table_of_manual_flags_is_refused_before_any_job(run):
    before, table = times(run), run / "flags.txt"
    table.write_text("1990 2000 WRONG\n1990 2048 HOT\n", encoding="utf-8")
    refused = snakemake(run, config={"manual_flag_file": "flags.txt"})
    assert refused.status != 0
    assert refused.jobs == {}
    assert "flags.txt, line 1: unknown flag 'WRONG'" in refused.output
    assert "flags.txt, line 2: " in refused.output
    assert "Traceback" not in refused.output
    missing = snakemake(run, config={"manual_flag_file": "absent.txt"})
    assert "absent.txt: not readable as a table of manual flags" in missing.output
    assert "Traceback" not in missing.output

    table.write_text("1990 2000 WARM\n", encoding="utf-8")
    assert succeed(run, config={"manual_flag_file": "flags.txt"}).jobs == VOTE
    assert times(run) == before


# ---------------------------------------------------------------- edits of the library


def scripts_of_rules():
    """Rule -> (script, argument of its `digest`), from the text of the rules."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((PROJECT / "rules").glob("*.smk")))
    rules = {}
    for part in re.split(r"^rule ", text, flags=re.MULTILINE)[1:]:
        script = re.search(r'script:\s+"\.\./scripts/(\w+\.py)"', part)
        digest = re.search(r'library=digest\("(\w+\.py)"\)', part)
        # A target that only gathers what other rules make, such as sweep, has nothing to run.
        if script or digest or re.search(r"^    (?:output|shell|run):", part, re.MULTILINE):
            rules[part.split(":", 1)[0]] = (script and script[1], digest and digest[1])
    return rules


RULES = scripts_of_rules()


# Imported in a function, because its packages are slow to import.
LAZY = {str(PROJECT / "scripts" / "badpix" / "response" / "sources.py")}


def really_imported(script):
    """The library modules in memory of a fresh Python after the script's own imports, as paths."""
    code = (
        "import json, runpy, sys\n"
        "runpy.run_path(sys.argv[1], run_name='imported')\n"
        "modules = [m for name, m in sys.modules.items() if name.split('.')[0] == 'badpix']\n"
        "print(json.dumps(sorted({m.__file__ for m in modules})))\n"
    )
    # As Snakemake does, with the script's own directory first in the path.
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(script.parent)!r})\n{code}", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_rule_watches_what_its_script_imports(rule):
    script, digest = RULES[rule]
    assert script is not None
    # Repeated look-ups of references, and repeated refusals, change no data; a fetch always runs.
    assert digest == script or rule in ("prefetch_references", "refused_detector", "fetch", "fetch_list")
    path = PROJECT / "scripts" / script
    watched, imported = {str(file) for file in modules_used(path)}, set(really_imported(path))
    assert imported <= watched and watched - imported <= LAZY


# Module -> what its edit must repeat, and rules that have nothing to do with it.
EDITS = {
    # The ramps themselves are gone and have to be made again.
    "statistics/ramps.py": (
        {"detector1_dark": 3} | COMPARED,
        {"detector1_flat", "flat_response", "reference_pixel_mask"},
    ),
    "statistics/flat.py": (
        {"detector1_flat": 3, "flat_response": 1} | COMPARED,
        {"detector1_dark", "reference_pixel_mask"},
    ),
    "comparison/measures.py": (COMPARED, {"flat_response", "detector1_flat", "detector1_dark"}),
    "response/normalise.py": ({"flat_response": 1} | VOTE, {"detector1_flat", "detector1_dark"}),
    "vote/classify.py": (VOTE, {"flat_response", "detector1_flat", "detector1_dark"}),
    "score/pixels.py": ({}, set(RULES)),
}


@pytest.mark.parametrize("module", EDITS)
def test_an_edit_of_a_module_repeats_the_rules_that_use_it(module, run, project):
    needed, unconcerned = EDITS[module]
    assert succeed(run, "--dry-run", project=project).nothing_to_do, "the project's place matters"
    path = project / "scripts" / "badpix" / module
    path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    jobs = succeed(run, "--dry-run", project=project).jobs
    assert jobs.items() >= needed.items()
    assert not jobs.keys() & unconcerned
