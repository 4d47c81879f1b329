"""Strength curves of known shape, their thresholds, and the interval of a share."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from badpix.score.curves import curves_and_thresholds, found_share, strength_curve, threshold_strengths
from badpix.score.plots import STYLES, draw_panel, plot_curves


def logistic_sample(middle, width, stronger=1, plateau=1.0, number=1000, low=1.0, high=1000.0):
    """Strengths even in the logarithm, found with a known chance; spread by the golden ratio, more even than random."""
    strength = np.geomspace(low, high, number)
    chance = plateau / (1 + np.exp(-stronger * (np.log(strength) - np.log(middle)) / width))
    return strength, (np.arange(number) * 0.6180339887) % 1 < chance


class TestFoundShare:
    @given(st.integers(0, 50), st.integers(0, 50))
    def test_is_within_its_interval(self, found, more):
        share, low, high = found_share(found, found + more)
        if found + more:
            assert 0 <= low <= share <= high <= 1 and low < high
        else:
            assert np.isnan([share, low, high]).all()

    def test_none_and_all(self):
        z2 = 1.959964**2  # Wilson for 0 of n: from 0 to z^2 / (n + z^2)
        share, low, high = found_share([0, 10], [10, 10])
        assert share.tolist() == [0, 1] and low[0] == 0 and high[1] == 1
        assert (high[0], low[1]) == pytest.approx((z2 / (10 + z2), 10 / (10 + z2)), rel=1e-5)


class TestBins:
    def test_equal_numbers(self):
        strength = np.arange(1.0, 33)[::-1]
        curve = strength_curve(strength, strength > 20, bins=4)
        assert curve["planted"].tolist() == [8, 8, 8, 8]
        assert curve["found"].tolist() == [0, 0, 4, 8]
        assert curve["strength"].tolist() == [4.5, 12.5, 20.5, 28.5]
        assert (curve["strength_low"].tolist(), curve["strength_high"].tolist()) == ([1, 9, 17, 25], [8, 16, 24, 32])

    def test_equal_strengths_stay_together_and_unknown_strengths_are_left_out(self):
        strength = np.array([1.0] * 20 + [2.0] * 12 + [np.nan] * 5)
        curve = strength_curve(strength, np.ones(37, bool), bins=4)
        assert curve["planted"].tolist() == [20, 12]

    def test_few_pixels_are_one_bin_and_none_no_bin(self):
        assert strength_curve(np.array([3.0, 1.0, 2.0]), np.array([True, False, True]))["found"].tolist() == [2]
        assert strength_curve(np.array([]), np.array([], bool)).empty

    @given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.5, 4.0, 9.0, np.nan]), st.booleans()), min_size=1))
    def test_every_pixel_is_in_one_bin(self, pixels):
        strength, found = (np.array(values) for values in zip(*pixels, strict=True))
        curve, known = strength_curve(strength, found), np.isfinite(strength)
        assert (curve["planted"].sum(), curve["found"].sum()) == (known.sum(), found[known].sum())
        assert (curve["strength_low"].iloc[1:].to_numpy() > curve["strength_high"].iloc[:-1].to_numpy()).all()


class TestThresholds:
    def test_known_curve(self):
        result = threshold_strengths(*logistic_sample(middle=40, width=0.3))
        assert result["strength_50"] == pytest.approx(40, rel=0.05)
        assert result["strength_90"] == pytest.approx(40 * np.exp(0.3 * np.log(9)), rel=0.08)
        assert not result["at_weakest_50"] and not result["at_weakest_90"]

    def test_smaller_is_stronger(self):
        result = threshold_strengths(*logistic_sample(middle=40, width=0.3, stronger=-1), stronger=-1)
        assert result["strength_50"] == pytest.approx(40, rel=0.05)
        assert result["strength_90"] == pytest.approx(40 * np.exp(-0.3 * np.log(9)), rel=0.08)

    def test_a_plateau_is_never_passed(self):
        result = threshold_strengths(*logistic_sample(middle=40, width=0.3, plateau=0.75))
        # 0.75 / (1 + exp(-z)) = 0.5 at z = ln 2
        assert result["strength_50"] == pytest.approx(40 * 2**0.3, rel=0.08)
        assert np.isnan(result["strength_90"])

    def test_beyond_the_planted_strengths_is_not_reached(self):
        result = threshold_strengths(*logistic_sample(middle=500, width=0.6))
        assert result["strength_50"] == pytest.approx(500, rel=0.15)
        assert np.isnan(result["strength_90"])  # at 1869, and none above 1000

    def test_a_step(self):
        """Found if and only if stronger than 30: the threshold lies between the neighbours."""
        strength = np.array([1, 2, 4, 8, 16, 28, 32, 64, 128, 256, 512, 1024.0])
        result = threshold_strengths(strength, strength > 30)
        assert 28 <= result["strength_50"] <= 32 and 28 <= result["strength_90"] <= 32.5

    @pytest.mark.parametrize(("stronger", "weakest"), [(1, 1.0), (-1, 20.0)])
    def test_all_found(self, stronger, weakest):
        result = threshold_strengths(np.arange(1.0, 21), np.ones(20, bool), stronger)
        assert result["strength_50"] == result["strength_90"] == pytest.approx(weakest)
        assert result["at_weakest_50"] and result["at_weakest_90"]

    def test_none_found_and_too_few(self):
        for number, found in ((20, False), (5, True)):
            result = threshold_strengths(np.arange(1.0, number + 1), np.full(number, found))
            assert np.isnan(result["strength_50"]) and np.isnan(result["strength_90"])

    def test_zero_is_as_the_smallest_other_strength(self):
        strength, found = logistic_sample(middle=40, width=0.3, stronger=-1)
        strong = strength < 2  # so strong that the exact value does not matter
        result = threshold_strengths(np.where(strong, 0, strength), found, stronger=-1)
        assert result["strength_50"] == pytest.approx(40, rel=0.05)

    def test_negative_strengths_are_fitted_without_logarithm(self):
        strength = np.linspace(-50, 50, 101)
        assert threshold_strengths(strength, strength > 9.5)["strength_50"] == pytest.approx(9.5, abs=0.5)


TYPES = pd.DataFrame(
    {"EXPECTED": ["hot", "DEAD", "", "rc"], "STRONGER": [1, -1, 1, 1], "UNIT": ["DN/s", "", "", ""]},
    index=["hot", "dead", "intermittent_rc", "rc"],
)
ACCEPTED = {"hot": ("hot",), "dead": ("DEAD",), "intermittent_rc": (), "rc": ("rc",)}


def example(plateau=1.0):
    parts, own = [], []
    for name, middle, stronger in (("hot", 40, 1), ("dead", 20, -1), ("intermittent_rc", 10, 1)):
        strength, found = logistic_sample(middle, 0.3, stronger, plateau, number=200)
        parts.append(pd.DataFrame({"type": name, "strength": strength, "strength_unit": "a unit"}))
        own.append(found)
    pixels = pd.concat([*parts, pd.DataFrame({"type": ["rc"], "strength": [np.nan], "strength_unit": ["DN"]})])
    return pixels.reset_index(drop=True), pd.Series(np.concatenate([*own, [True]]))


def test_tables_by_type():
    curves, thresholds = curves_and_thresholds(*example(), TYPES, ACCEPTED)
    # Nothing should find the intermittent ones, and the strength of rc is not known.
    assert thresholds["type"].tolist() == ["hot", "dead"] == list(curves["type"].unique())
    assert thresholds["unit"].tolist() == ["DN/s", "a unit"]
    hot, dead = thresholds.to_dict("records")
    assert hot["weakest"] < hot["strength_50"] < hot["strength_90"] < hot["strongest"]
    assert dead["weakest"] > dead["strength_50"] > dead["strength_90"] > dead["strongest"]
    assert curves.groupby("type")["planted"].sum().to_dict() == {"hot": 200, "dead": 200}


@pytest.fixture
def two_runs():
    runs = {
        label: curves_and_thresholds(*example(plateau), TYPES, ACCEPTED) for label, plateau in (("a", 1), ("b", 0.7))
    }
    return [pd.concat([tables[number].assign(run=run) for run, tables in runs.items()]) for number in (0, 1)]


def test_figure(two_runs, tmp_path, monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, "close", lambda figure: None)
    plot_curves(tmp_path / "curves.png", *two_runs, limits={"hot": 30.0})
    assert (tmp_path / "curves.png").stat().st_size > 10000
    hot, dead = (axes for axes in plt.gcf().axes if axes.has_data())
    assert (hot.get_title(loc="left"), dead.get_title(loc="left")) == ("hot", "dead")
    assert hot.get_xscale() == "log" and not hot.xaxis_inverted() and dead.xaxis_inverted()
    assert hot.get_xlabel() == "DN/s" and "decreases to the right" in dead.get_xlabel()
    marked = [line for line in hot.lines if line.get_markersize() == 10]
    assert sorted(float(line.get_ydata()[0]) for line in marked) == [0.5, 0.5, 0.9]  # run b stays below 90%
    assert any(list(line.get_xdata()) == [30.0, 30.0] for line in hot.lines)
    monkeypatch.undo()
    plt.close("all")


def test_zero_is_drawn_beyond_the_smallest_strength():
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    figure, axes = plt.subplots()
    strength, found = logistic_sample(middle=40, width=0.3, stronger=-1, number=200)
    pixels = pd.DataFrame({"type": "dead", "strength": np.where(strength < 3, 0, strength), "strength_unit": ""})
    tables = [table.assign(run="a") for table in curves_and_thresholds(pixels, pd.Series(found), TYPES, ACCEPTED)]
    draw_panel(axes, "dead", *tables, {"a": STYLES[0]})
    line = next(line for line in axes.lines if isinstance(line, Line2D) and len(line.get_xdata()) > 2)
    drawn = np.sort(line.get_xdata())
    assert tables[0]["strength"].min() == 0 and 0 < drawn[0] < 3 < drawn[1]
    assert "0 drawn at the edge" in axes.get_xlabel()
    plt.close(figure)


def test_no_curves_no_figure(tmp_path):
    with pytest.raises(ValueError, match="no strength curves"):
        plot_curves(tmp_path / "curves.png", pd.DataFrame(), pd.DataFrame())
    assert not list(tmp_path.iterdir())
