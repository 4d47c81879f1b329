"""Lists of known bad pixels that the run itself makes, and detectors that the configuration does not name."""

from badpix.pixels.known_source import is_unnamed, own_result


def test_lists_among_the_results_of_a_detector_are_made_by_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results" / "NIS").mkdir(parents=True)
    (tmp_path / "link.csv").symlink_to("results/NIS/bad_pixels.csv")
    for path in (
        "results/NIS/bad_pixels.csv",
        "./results/NIS/epochs/one/intermittent_pixels.csv",
        tmp_path / "results" / "NIS" / "delivery" / "pixels" / "a_hot.txt",
        "link.csv",
    ):
        assert own_result(path, "results", ["NRCA1", "NIS"])
    for path in ("known.txt", "results/known.txt", "results/NISX/bad_pixels.csv", "other/NIS/bad_pixels.csv"):
        assert not own_result(path, "results", ["NRCA1", "NIS"])
    assert not own_result("known.txt", ".", ["NIS"])


def test_a_mapping_may_have_no_list_of_a_detector():
    lists = {"NIS": None, "NRCA1": "a.txt"}
    assert [is_unnamed(lists, name) for name in ("NRCA2", "NRCA1", "NIS")] == [True, False, False]
    assert not is_unnamed("epochs", "NIS") and not is_unnamed(None, "NIS")
