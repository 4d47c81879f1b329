"""Pixels that change from dark to dark are found by jumps, pedestals and slopes; minorities and other types are not."""

import numpy as np

from unit.vote.adding import add
from unit.vote.test_dark_extended import PIXEL, SHAPE, exposure, extended, results

UP, DOWN = {"N_JUMP_UP": 1}, {"N_JUMP_DOWN": 1, "N_JUMP_DOWN_5SIG": 1}
ONLY = {"telegraph_search": False}


def of_pixel(planes_of_darks, what="found", position=PIXEL, **changes):
    """The types of a pixel that has the planes of each dark in turn."""
    by_type = results([{position: planes} for planes in planes_of_darks], **changes)
    images = {name: getattr(result, what) for name, result in by_type.items()}
    return {name for name, image in images.items() if image is not None and image[position]}


def test_jumps_in_five_of_eight_darks():
    """Few pixels have jumps here; a majority is four."""
    assert of_pixel([UP, DOWN, UP, DOWN, UP, {}, {}, {}], **ONLY) == {"high_cr"}
    assert of_pixel([UP, DOWN, UP, {}, {}, {}, {}, {}], **ONLY) == set()


def test_many_jumps_in_a_minority_of_the_darks_are_not_enough():
    assert of_pixel([{"N_JUMP_UP": 9, "N_JUMP_DOWN": 9}] * 3 + [{}] * 5, **ONLY) == set()


def test_cosmic_rays_raise_the_number_of_darks():
    """Every tenth pixel has a jump in each dark: five of eight are 4.3e-4, eight 1e-8."""

    def found_with(n_darks):
        darks = []
        for number in range(8):
            hit = {(row, column): UP for row in range(SHAPE[0]) for column in range(number, SHAPE[1], 10)}
            hit.pop(PIXEL, None)
            darks.append(hit | ({PIXEL: UP} if number < n_darks else {}))
        return bool(results(darks, **ONLY)["high_cr"].found[PIXEL])

    assert not found_with(6) and found_with(8)


def test_jumps_of_a_noisy_pixel_are_no_votes():
    noisy = {"CDS_NOISE": 13.0}
    result = results([{PIXEL: UP | noisy}] * 8, **ONLY, noisy_test="slopes")["high_cr"]
    assert not result.found[PIXEL] and result.votes["dark_with_jump"][1][PIXEL] == 0


def test_a_pedestal_of_two_levels():
    assert of_pixel([{"PEDESTAL_T0": 60.0 * (-1) ** number} for number in range(8)]) == {"high_cr"}


def test_a_pedestal_that_is_high_in_a_part_of_the_darks_is_no_telegraph_noise():
    """One state is the level of the bias reference: rc in six of eight darks, else listed."""

    def darks(n_high):
        return [{"PEDESTAL_T0": 200.0 if number < n_high else 0.0} for number in range(8)]

    assert [of_pixel(darks(n_high)) for n_high in (4, 5, 6)] == [set(), set(), {"rc"}]
    assert "rc" in of_pixel(darks(5), what="intermittent")


def test_an_offset_with_a_bad_minority_is_no_telegraph_noise():
    """Without a bias reference (MIRI) the pedestals have the pattern of the bias: high in six darks, low in two."""
    darks = [{"PEDESTAL_T0": 60.0} for _ in range(7)] + [{"PEDESTAL_T0": -200.0}]
    assert "high_cr" not in of_pixel(darks, pedestal_test="sigma")


def test_a_pedestal_that_is_constant_is_no_change():
    assert of_pixel([{"PEDESTAL_T0": 60.0}] * 8) == {"rc"}
    # Significant against no noise at all is not found as a change: the scatter of the pixel is that of the pixels.
    assert of_pixel([{"PEDESTAL_T0": 60.0}] * 8, pedestal_test="sigma") == set()


def test_a_constant_pedestal_with_one_bad_dark_is_no_change():
    offset = [{"PEDESTAL_T0": 60.0 + number} for number in range(7)]
    assert of_pixel([*offset, {"PEDESTAL_T0": 800.0}], pedestal_test="sigma") == set()
    assert of_pixel([*offset, {"PEDESTAL_T0": -800.0}], pedestal_test="sigma") == set()


def test_fewer_darks_than_needed_are_listed_and_not_found():
    darks = [{"PEDESTAL_T0": value} for value in (100.0, -100.0, 100.0, -100.0)] + [{}] * 4
    assert of_pixel(darks) == set()
    assert "high_cr" in of_pixel(darks, what="intermittent")


def test_slopes_on_both_sides():
    both = [{"SLOPE": 0.3 * (-1) ** number} for number in range(8)]
    assert of_pixel(both) == {"high_cr"}


def test_a_slope_that_is_high_in_a_part_of_the_darks_is_no_telegraph_noise():
    """Such as persistence, or a hot pixel that changes."""
    assert of_pixel([{"SLOPE": 0.3 * (number % 2)} for number in range(8)]) == set()


def test_pixels_of_other_types_keep_their_type():
    for pedestals in ((100.0, 300.0), (-100.0, -300.0)):
        bent = [{"CDS_FIRST": 300.0, "PEDESTAL_T0": pedestals[number % 2]} for number in range(8)]
        assert "high_cr" not in of_pixel(bent)
    hot = [{"SLOPE": 20.0 + number, "PEDESTAL_T0": 300.0 * (-1) ** number} for number in range(8)]
    assert of_pixel(hot) == {"hot"}


def test_healthy_pixels_of_one_integration_and_a_dark_with_a_fault():
    """A dark with a gradient of bias, of slope, and with a jump in every pixel makes no pixel vary."""
    beyond = extended(8)
    for seed in range(8):
        statistics = exposure(seed, {})
        if seed == 2:
            statistics["PEDESTAL_T0"].data += np.linspace(0, 4000, SHAPE[1], dtype=np.float32)
            statistics["SLOPE"].data += np.linspace(0, 300, SHAPE[1], dtype=np.float32)
            statistics["N_JUMP_UP"].data += 1
        add(beyond, statistics)
    assert not beyond.results()["high_cr"].found.any()


def test_three_darks_are_too_few_and_a_warning_says_so():
    beyond = extended(3)
    for seed in range(3):
        every_tenth = {(row, column): UP for row in range(SHAPE[0]) for column in range(0, SHAPE[1], 10)}
        add(beyond, exposure(seed, every_tenth))
    assert not beyond.results()["high_cr"].found.any()
    assert any("jump in all 3 darks" in warning for warning in beyond.warnings)


def test_a_spread_that_the_noise_of_the_pixel_explains_is_no_change():
    darks = [{"PEDESTAL_T0": 60.0 * (-1) ** number, "CDS_NOISE": 45.0} for number in range(8)]
    result = results([{PIXEL: planes} for planes in darks])["high_cr"]
    assert result.votes["pedestal_change"][0][PIXEL] == 8 and not result.found[PIXEL]
