"""Halos by capacitive coupling: measured from ramps with known shares, removed, and attributed to their source."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from astropy.io import fits

from badpix.instrument.readout import GroupTimes
from badpix.statistics.ramps import count_groups, group_differences, pedestal_t0
from badpix.vote.coupling import coupling_of
from badpix.vote.dark_extended import DarkExtended
from badpix.vote.flag_priority import apply_priority, priorities
from badpix.vote.halos import tilt
from badpix.vote.searches.base import WHOLE_ARRAY, Context
from badpix.vote.searches.registry import configured_searches
from unit.vote.adding import add
from unit.vote.test_dark_extended import SETTINGS

CELL = 12  # side of the square of a scene
N_CELLS = 8  # along x and y
SHAPE = (CELL * N_CELLS, CELL * N_CELLS)
N_GROUPS, GROUP_TIME_S, N_DARKS = 20, 2.0, 8
READ_NOISE_DN, RESET_NOISE_DN = 7.0, 12.0
FULL_WELL_DN = 48000.0
DIRECT = ((-1, 0), (1, 0), (0, -1), (0, 1))
OFFSETS = (*DIRECT, (-1, -1), (-1, 1), (1, -1), (1, 1))
SHARES = (0.0045, 0.0065, 0.0055, 0.0055, 0.0005, 0.0005, 0.0005, 0.0005)
NO_SHARES = (0.0,) * 8
ON = SETTINGS | {
    "hot_rate_threshold": 1.0, "warm_rate_threshold": 0.3, "cold_rate_threshold": None, "ipc_neighbor_search": True
}  # fmt: skip
HALO = {"ipc_neighbor"}
SATURATED = 1e6  # DN/s: full in the first group
RATES = (60.0, 300.0, 1000.0, 1400.0, 3000.0, 8000.0, 20000.0, SATURATED)
ONE = ((0, 0),)
PAIR, DIAGONAL = ((0, 0), (0, 1)), ((0, 0), (1, 1))
CLUSTERS = {
    "corner": ((0, 0), (0, 1), (1, 0)),
    "square": ((0, 0), (0, 1), (1, 0), (1, 1)),
    "cross": ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)),
    "row": ((0, -2), (0, -1), (0, 0), (0, 1), (0, 2)),
}
PAIRS = ((300.0, 200.0), (SATURATED, SATURATED), (SATURATED, 200.0), (3000.0, 20000.0))
NEIGHBOUR = (0, 1)
OWN = {"hot": 20.0, "charge": 1500.0, "pedestal": 400.0, "low pedestal": -200.0}


@dataclass(frozen=True)
class Scene:
    """Bad pixels by their position relative to the middle of a cell.

    `hot` maps to rates in DN/s, `charge` to the charge of RC pixels (DN, time constant of two groups), `pedestal` to
    pedestals in DN. They are bad in the first `n_bad` darks.
    """

    hot: Mapping[tuple[int, int], float]
    charge: Mapping[tuple[int, int], float] = field(default_factory=dict)
    pedestal: Mapping[tuple[int, int], float] = field(default_factory=dict)
    n_bad: int = N_DARKS


def beside(rate, kind):
    """A source of `rate`, and a pixel of its own `kind` beside it."""
    more = {NEIGHBOUR: OWN[kind]}
    hot = {(0, 0): rate} | (more if kind == "hot" else {})
    return Scene(hot, more if kind == "charge" else {}, more if "pedestal" in kind else {})


SCENES = (
    {f"source {rate}": Scene({(0, 0): rate}) for rate in RATES}
    | {f"{kind} beside {rate}": beside(rate, kind) for kind in OWN for rate in (300.0, 3000.0, SATURATED)}
    | {
        f"pair {a} {b} {pair}": Scene(dict(zip(pair, (a, b), strict=True)))
        for a, b in PAIRS
        for pair in (PAIR, DIAGONAL)
    }
    | {f"{name} {rate}": Scene(dict.fromkeys(c, rate)) for name, c in CLUSTERS.items() for rate in (200.0, SATURATED)}
    | {"hot around saturated": Scene(dict.fromkeys(DIRECT, 30.0) | {(0, 0): SATURATED})}
    | {f"minority {rate}": Scene({(0, 0): rate}, n_bad=3) for rate in (300.0, 3000.0, SATURATED)}
    # Hot pixels that show the coupling.
    | {f"gauge {rate}": Scene({(0, 0): rate}) for rate in (50.0, 80.0, 100.0, 120.0, 150.0, 180.0, 250.0, 350.0, 400.0)}
)
# Sources at the border: one of their neighbours, or two, are outside.
AT_BORDER = {(0, 0): SATURATED, (0, 30): SATURATED, (95, 95): 300.0}
PLACES = {
    name: (CELL * (number // N_CELLS) + CELL // 2, CELL * (number % N_CELLS) + CELL // 2)
    for number, name in enumerate(SCENES)
}


def dark(number, scenes=SCENES, shares=SHARES):
    """The open statistics file of a dark of one integration; `number` is from 0."""
    rng = np.random.default_rng(number)
    rate, charge, pedestal = np.full(SHAPE, 0.01), np.zeros(SHAPE), rng.normal(0, RESET_NOISE_DN, SHAPE)
    for position, value in AT_BORDER.items():
        rate[position] = value
    for name, scene in scenes.items():
        if number < scene.n_bad:
            y, x = PLACES[name]
            for image, pixels in ((rate, scene.hot), (charge, scene.charge), (pedestal, scene.pedestal)):
                for (dy, dx), value in pixels.items():
                    image[y + dy, x + dx] += value
    times = GroupTimes(GROUP_TIME_S, GROUP_TIME_S, 1)
    at = times.effective_time_s(np.arange(N_GROUPS))[:, None, None]
    signal = np.minimum(rate * at, FULL_WELL_DN) + charge * (1 - np.exp(-(np.arange(N_GROUPS)[:, None, None] + 1) / 2))
    padded, coupled = np.pad(signal, ((0, 0), (1, 1), (1, 1)), mode="edge"), signal * (1 - sum(shares))
    for (dy, dx), share in zip(OFFSETS, shares, strict=True):
        coupled += share * padded[:, 1 - dy : 1 - dy + SHAPE[0], 1 - dx : 1 - dx + SHAPE[1]]
    good = signal < 0.98 * FULL_WELL_DN
    ramps = (coupled + pedestal + rng.normal(0, READ_NOISE_DN, coupled.shape)).astype(np.float32)
    groupdq = np.where(good, 0, 2).astype(np.uint8)
    slope, variance = slopes(ramps, good, at)
    images = {"SLOPE": slope, "VAR_SLOPE": variance, "VAR_POISSON": np.zeros(SHAPE, np.float32)}
    images |= {"PEDESTAL_T0": pedestal_t0(ramps, groupdq, slope, times)}
    images |= count_groups(groupdq, 0.25) | group_differences(ramps, groupdq, 0.25)
    primary = fits.PrimaryHDU()
    primary.header["TGROUP"] = primary.header["TFRAME"] = GROUP_TIME_S
    primary.header["EXPOSURE"] = f"dark{number}"
    return fits.HDUList([primary] + [fits.ImageHDU(image[None], name=name) for name, image in images.items()])


def slopes(ramps, good, at):
    """Slope by least squares over the good groups, and its variance; NaN with fewer than two."""
    n = good.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.where(good, at - np.where(good, at, 0).sum(axis=0) / n, 0)
        squares = np.where(n >= 2, (t**2).sum(axis=0), np.nan)
        return ((t * ramps).sum(axis=0) / squares).astype(np.float32), (READ_NOISE_DN**2 / squares).astype(np.float32)


def measured(darks):
    return coupling_of(((d["SLOPE"].data[0], d["NSAT"].data[0]) for d in darks), np.ones(SHAPE, bool))


def vote(darks, amplifiers=WHOLE_ARRAY, **changes):
    """(DarkExtended, results by type) of open statistics files; of each pixel, the types that explain the others."""
    context = Context(np.ones(SHAPE, bool), len(darks), len(darks), 1e-5, 1, amplifiers, coupling=measured(darks))
    beyond = DarkExtended(configured_searches(ON | changes), context)
    for statistics in darks:
        add(beyond, statistics)
    return beyond, apply_priority(beyond.results(), priorities(run.search for run in beyond.runs))


@pytest.fixture(scope="module")
def darks():
    return [dark(number) for number in range(N_DARKS)]


@pytest.fixture(scope="module")
def voted(darks):
    return vote(darks)


@pytest.fixture(scope="module")
def results(voted):
    return voted[1]


@pytest.fixture(scope="module")
def before(darks):
    return vote(darks, ipc_neighbor_search=False)[1]


def types(results, position, what="found"):
    return {name for name, r in results.items() if getattr(r, what) is not None and getattr(r, what)[position]}


def at(name, pixels=ONE):
    """Positions of the pixels of a scene."""
    y, x = PLACES[name]
    return [(y + dy, x + dx) for dy, dx in pixels]


def around(*positions):
    """The direct neighbours of the pixels that are none of them, inside the array."""
    near = {(y + dy, x + dx) for y, x in positions for dy, dx in DIRECT} - set(positions)
    return {(y, x) for y, x in near if 0 <= y < SHAPE[0] and 0 <= x < SHAPE[1]}


def test_without_coupling_nothing_is_removed():
    """Bad neighbours of a saturated pixel, two hot and two RC, and no halo."""
    name, own = "source 1000000.0", {(-1, 0): 2.0, (1, 0): 2.0}
    scene = Scene({(0, 0): SATURATED} | own, pedestal=dict.fromkeys([(0, -1), (0, 1)], 200.0))
    _, results = vote([dark(number, SCENES | {name: scene}, NO_SHARES) for number in range(N_DARKS)])
    assert all(types(results, position) == {"hot"} for position in at(name, own))
    assert all(types(results, position) == {"rc"} for position in at(name, scene.pedestal))
    assert not results["ipc_neighbor"].found.any()


@pytest.mark.parametrize("rate", RATES)
def test_halos_of_hot_and_of_saturating_pixels_belong_to_their_source(rate, voted, before):
    beyond, results = voted
    (source,) = at(f"source {rate}")
    # What a neighbour is without the search depends on the source; it is something.
    assert rate < 100 or all(types(before, position) for position in around(source))
    assert types(results, source) == {"hot"}
    for position in around(source):
        assert types(results, position) == HALO if types(before, position) else types(results, position) <= HALO
        if types(results, position):
            assert beyond.halo_sources[position] == source[0] * SHAPE[1] + source[1]


def test_no_further_pixel_is_bad(results):
    planted = {p for name, s in SCENES.items() for p in at(name, [*s.hot, *s.charge, *s.pedestal])} | set(AT_BORDER)
    found = np.argwhere(np.logical_or.reduce([r.found for name, r in results.items() if name not in HALO]))
    assert {tuple(position) for position in found} <= planted


@pytest.mark.parametrize("rate", [300.0, 3000.0, SATURATED])
@pytest.mark.parametrize("kind", OWN)
def test_a_bad_neighbour_keeps_its_own_type(rate, kind, results):
    name = f"{kind} beside {rate}"
    (source,), (neighbour,) = at(name), at(name, [NEIGHBOUR])
    # The charge of an RC pixel raises its slope too.
    wanted = {"hot": "hot", "charge": "rc", "pedestal": "rc", "low pedestal": "low_pedestal"}[kind]
    assert types(results, neighbour) == {wanted}
    assert all(types(results, position) <= HALO for position in around(source) - {neighbour})


@pytest.mark.parametrize("pair", [PAIR, DIAGONAL])
@pytest.mark.parametrize("rates", PAIRS)
def test_two_sources_beside_each_other(rates, pair, results):
    sources = at(f"pair {rates[0]} {rates[1]} {pair}", pair)
    assert all(types(results, position) == {"hot"} for position in sources)
    assert all(types(results, position) == HALO for position in around(*sources))


@pytest.mark.parametrize("rate", [200.0, SATURATED])
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_clusters(rate, cluster, results):
    sources = at(f"{cluster} {rate}", CLUSTERS[cluster])
    assert all(types(results, position) == {"hot"} for position in sources)
    assert all(types(results, position) == HALO for position in around(*sources))


def test_hot_pixels_all_around_a_saturated_pixel_stay_hot(results):
    name = "hot around saturated"
    assert all(types(results, position) == {"hot"} for position in at(name, SCENES[name].hot))


@pytest.mark.parametrize("rate", [300.0, 3000.0, SATURATED])
def test_a_source_in_a_minority_of_the_darks(rate, results, before):
    (source,) = at(f"minority {rate}")
    assert not types(results, source) and types(results, source, "intermittent")
    assert any(types(before, position, "intermittent") for position in around(source))
    for position in around(source):
        assert not types(results, position) and not types(results, position, "intermittent")


def test_at_the_border_and_in_the_corner(results, before):
    near = around(*AT_BORDER)
    assert len(near) == 7 and all(types(before, position) for position in near)
    assert all(types(results, position) == HALO for position in near)


def test_a_charge_that_is_not_coupled_has_no_halo(darks):
    """An RC signal of the readout: its neighbours are healthy, and stay so."""
    pixel = (CELL * N_CELLS - 6, 30)
    rises = {"CDS_FIRST": 2000.0, "CDS_EARLY": 1200.0, "SLOPE": 60.0, "PEDESTAL_T0": 6000.0}
    changed = [fits.HDUList([hdu.copy() for hdu in statistics]) for statistics in darks]
    for statistics in changed:
        for name, rise in rises.items():
            statistics[name].data[(0, *pixel)] += rise
    _, results = vote(changed)
    assert types(results, pixel) == {"rc"}
    assert not any(types(results, position) for position in around(pixel))


def test_largest_slope_of_a_ramp_that_ends():
    """Full after half of the first group of two: the ramp 0.5, 1, of slope 0.5; full at the end: 1 per groups."""
    assert tilt(2, np.array([0]))[0] == 0.5
    assert tilt(10, np.array([9]))[0] == pytest.approx(1 / 9, rel=0.1)
    assert (np.diff(tilt(30, np.arange(1, 15))) > 0).all()
