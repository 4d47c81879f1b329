"""`snakemake fetch` from an archive on this machine, from an empty folder to the jobs of the next run."""

from badpix.simulate.archive_server import serving
from workflow.runner import snakemake, succeed


def write_config(directory, simulated, server):
    (directory / "config.yaml").write_text(
        f"darks: data/darks\nflats: data/flats\nresults: results\ncrds_path: {simulated}/crds_cache\n"
        "crds_server_url: https://jwst-serverless.invalid\nkeep_history: false\n"
        f"mast: {{detectors: [NIS], start: 2024-01-01, server: '{server.url}'}}\n",
        encoding="utf-8",
    )


def test_the_run_after_a_fetch_has_the_new_exposures(simulated, tmp_path):
    with serving(simulated) as server:
        write_config(tmp_path, simulated, server)
        # Neither folder exists.
        advised = snakemake(tmp_path, "--quiet", "all", "--dry-run")
        assert advised.status == 1 and f"no match: 'data/darks' (in {tmp_path})\n" in advised.output
        assert f"no match: 'data/flats' (in {tmp_path}); `snakemake fetch` brings exposures" in advised.output
        run = succeed(tmp_path, "--quiet", "all", "--", "fetch")
        lines = [line for line in run.output.splitlines() if "fetch" in line or "MAST" in line]
        assert len(lines) == 3 and "5 files in MAST, 5 new -> data/darks" in lines[0] and "10 of 10 files" in lines[2]
        assert not (tmp_path / "results" / "rejected_exposures.csv").exists()
        jobs = succeed(tmp_path, "--dry-run").jobs
        assert jobs["detector1_dark"] == 5 and jobs["detector1_flat"] == 5 and "fetch" not in jobs
        assert "no new exposures" in succeed(tmp_path, "--", "fetch").output
        # A target beside fetch would not see the new exposures.
        refused = snakemake(tmp_path, "--quiet", "all", "--", "fetch", "all")
        assert refused.status == 1 and "fetch must be the only target" in refused.output
        failed = snakemake(tmp_path, "--quiet", "all", "--", "fetch_list", config={"mast": {"start": None}})
    assert failed.status == 1 and "fetch_list: FetchError: mast.start: null is not allowed" in failed.output
    assert "log: results/logs/fetch_list.log" in failed.output and "Traceback" not in failed.output
