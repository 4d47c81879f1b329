"""Without a configuration: `snakemake --lint` passes, and every run is refused before any job."""

import subprocess
import sys

import pytest

from workflow.runner import PROJECT


def snakemake_alone(directory, *arguments):
    """Snakemake in an empty directory, without a configuration: (exit status, output)."""
    words = [sys.executable, "-m", "snakemake", "--snakefile", PROJECT / "Snakefile", "--directory", directory]
    done = subprocess.run([*words, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def test_lint_has_no_findings(tmp_path):
    status, output = snakemake_alone(tmp_path, "--lint")
    assert "Congratulations, your workflow is in a good condition!" in output and status == 0
    # With a configuration, linting does not read the exposures.
    status, output = snakemake_alone(tmp_path, "--lint", "--config", "darks=absent")
    assert status == 0


@pytest.mark.parametrize("targets", [(), ("sweep",), ("results/NIS/test_bpm.fits",)])
def test_a_run_without_inputs_is_refused(tmp_path, targets):
    for mode in ("--dry-run", "--cores=1"):
        status, output = snakemake_alone(tmp_path, mode, "--", *targets)
        assert status == 1
        assert "none is set, so there are no exposures" in output and "darks: data/darks" in output
    assert not (tmp_path / "results").exists()
