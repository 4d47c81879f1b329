"""The searches of darks beyond the specification: what a pixel does, compared with the rest of its detector.

Each looks at one measured quantity of the cached statistics, exposure by exposure, so that the memory does not grow
with their number, and takes its threshold from the number of false flags asked for.
"""

import numpy as np

from badpix.formats.thresholds import ABOVE, AT_LEAST, BELOW, MEAN_EXCESS, Threshold, around, vote_rows
from badpix.instrument.segments import exposure_of
from badpix.vote.ballots import Tally, decide
from badpix.vote.excess import HIGH, LOW, ExcessTest
from badpix.vote.significance import ballot_probability, sample, steps_needed
from badpix.vote.verdict import Verdict

# A pedestal counts when it is more than this part of what the pixel collects in a group, and a change of slope when
# it is more than this part of the late slope: a hot pixel's own shot noise and non-linearity stay below.
MIN_PEDESTAL_GROUPS = 0.5
MIN_SLOPE_CHANGE = 0.3
# Noise is compared as a logarithm, of at least this part of the typical one: after the shot noise has been taken off
# nothing may be left of a hot pixel's.
NOISE_FLOOR = 0.1

# One fall may be chance; an exposure with so many is a telegraph's beyond doubt.
MIN_CERTAIN_FALLS = 2
# Rises that as few healthy pixels reach count as a signal's own; the others may be cosmic rays.
CHANCE_RISES = 0.02
# Where so many of a pixel's falls are clear, its signal makes no others: those come from noise, and would be the vote
# too many for a pixel that is bad at times.
CLEAR_SHARE = 0.75

# The jump step's default threshold, in standard deviations of a difference, and one more for the noise upon it.
MISSED_JUMP_SIGMA = 5

STEPS = ("NFALL", "NRISE", "NFALL_CLEAR")
PLANES = ("SLOPE", "VAR_POISSON", "CDS_NOISE", "CDS_FIRST", "CDS_EARLY", "CDS_LATE", "NSAT", "FIRST_SAT", "NGOOD",
          *STEPS)  # fmt: skip


def read_noise_of_differences(planes, group_time_s, judged):
    """Logarithm of the noise of group differences (DN) without the shot noise of the pixel's own slope, (y, x).

    `judged` are the indices of the pixels (`badpix.vote.significance.sample`) whose median noise is the typical one.

    ramp_fit's Poisson variance of a slope is rate / (gain x group time x (groups - 1)); that of one difference is
    rate x group time / gain, so the former times (groups - 1) x group time^2.
    """
    shot = planes["VAR_POISSON"] * np.maximum(planes["NGOOD"] - 1, 0) * group_time_s**2
    noise = planes["CDS_NOISE"]
    with np.errstate(invalid="ignore"):
        rest = noise**2 - np.maximum(shot, 0)
        floor = (NOISE_FLOOR * typical_noise(noise, judged)) ** 2
        return np.log(np.maximum(rest, floor)) / 2


def typical_noise(noise, judged):
    """Median of image `noise` over the pixels at the indices `judged`; NaN where none has a value."""
    values = noise.ravel()[judged]
    values = values[~np.isnan(values)]
    return np.median(values) if values.size else np.float32(np.nan)


def quiet_rate(counts):
    """Mean of the Poisson distribution of counts whose zeros are as frequent as those of `counts`; 0 if it is empty.

    What real signals add makes other counts larger, not the zeros of healthy pixels fewer.
    """
    return -np.log(max(np.mean(counts == 0), 0.01)) if counts.size else 0.0


def _two_levels(n_fall, n_rise, rate=0.0):
    """True where falls come with rises: a telegraph signal between two levels, not an inverse RC pixel, which sinks.

    `rate` is the mean number of rises that cosmic rays make: several falls need more rises than these.
    """
    return (n_fall <= 2 * n_rise + 1) & ((n_fall <= 1) | (n_rise >= steps_needed(rate, CHANCE_RISES)))


def mainly_clear(n_fall, n_clear):
    """True where only the clear ones of a pixel's falls count; both are numbers in all exposures."""
    return n_clear >= CLEAR_SHARE * n_fall


def measured_quantities(planes, settings, group_time_s, judged):
    """What the searches that are on compare, one after the other: (test, values, min_excess, min_certain), the last
    three as `ExcessTest.add` takes them.

    `planes` maps PLANES and PEDESTAL to images (y, x) of one integration, `judged` are indices of science pixels
    (`badpix.vote.significance.sample`).
    """
    # The noise is measured always: it tells how much the other means of a pixel may scatter.
    yield "noise", read_noise_of_differences(planes, group_time_s, judged), 0.0, 0.0
    if settings.hot_rate_threshold is not None:
        # Too bright for a slope: saturated before there were two groups to fit.
        slope = np.where((planes["NSAT"] > 0) & np.isnan(planes["SLOPE"]), np.float32(np.inf), planes["SLOPE"])
        # A cosmic ray that the jump step just misses, in the middle of a ramp of n groups, tilts it by 1.5 / n.
        step = MISSED_JUMP_SIGMA * typical_noise(planes["CDS_NOISE"], judged)
        tilt = 1.5 * step / (max(1, planes["NGOOD"].max()) * group_time_s)
        yield "rate", slope, settings.warm_rate_threshold, tilt
    if settings.pedestal_test == "calibrated":
        pedestal = np.where(planes["FIRST_SAT"] != 0, planes["PEDESTAL"], np.float32(np.nan))
        least = MIN_PEDESTAL_GROUPS * (np.abs(planes["SLOPE"]) * group_time_s)
        yield "high_pedestal", pedestal, least, 0.0
        yield "low_pedestal", pedestal, least, 0.0
    if settings.ramp_shape_search:
        floor = MIN_SLOPE_CHANGE * np.abs(planes["CDS_LATE"])
        yield "first", planes["CDS_FIRST"] - planes["CDS_LATE"], floor, 0.0
        yield "early", planes["CDS_EARLY"] - planes["CDS_LATE"], floor, 0.0


# What each test compares, for the table of thresholds: the quantity and its unit. That of the pedestals is their plane.
QUANTITIES = {
    "noise": ("READ_NOISE", "ln DN"),
    "rate": ("SLOPE", "DN/s"),
    "high_pedestal": (None, "DN"),
    "low_pedestal": (None, "DN"),
    "first": ("CDS_FIRST - CDS_LATE", "DN/group"),
    "early": ("CDS_EARLY - CDS_LATE", "DN/group"),
}
# What a vote of these tests needs as well, in parts of what the pixel itself does.
FURTHER = {
    "high_pedestal": ("EXCESS / (SLOPE x TGROUP)", MIN_PEDESTAL_GROUPS),
    "low_pedestal": ("EXCESS / (SLOPE x TGROUP)", MIN_PEDESTAL_GROUPS),
    "first": ("EXCESS / CDS_LATE", MIN_SLOPE_CHANGE),
    "early": ("EXCESS / CDS_LATE", MIN_SLOPE_CHANGE),
}


class DarkExcess:
    """Measures darks one after the other and decides on the types hot, warm, rc, inverse_rc, low_pedestal, noisy and
    high_cr, each if its key is on.

    `settings` is a DarkExcessSettings, `n_exposures` and `n_integrations` count what will be added.
    """

    def __init__(self, science, settings, n_exposures, n_integrations, regions=(np.s_[:, :],)):
        self.science, self.settings, self.n_exposures = science, settings, n_exposures
        self.judged = sample(science)
        self.probability = settings.false_flags_per_million / 1e6

        def test(fraction, regions=(np.s_[:, :],)):
            return ExcessTest(science, n_integrations, fraction, self.probability, regions)

        s = settings
        self.tests = {"noise": test(s.noisy_fraction, regions)}
        if s.hot_rate_threshold is not None:
            self.tests["rate"] = test(s.hot_fraction)
            self.hot = Tally(science.shape)
        if s.pedestal_test == "calibrated":
            self.tests["high_pedestal"] = test(s.rc_fraction_threshold)
            self.tests["low_pedestal"] = test(s.low_pedestal_fraction)
        if s.ramp_shape_search:
            self.tests["first"] = test(s.rc_fraction_threshold)
            self.tests["early"] = test(s.rc_fraction_threshold)
        self.where, self.fall_limits, self.pedestal_name = [], [], ""
        self.rise_rate = 0.0
        if s.telegraph_search:
            self.falls = Tally(science.shape)
            self.clear_votes = np.zeros(science.shape, np.int16)
            self.certain_falls = np.zeros(science.shape, bool)
            self.n_fall, self.n_clear, self.n_rise = (np.zeros(science.shape, np.int32) for _ in range(3))

    def add_exposure(self, *segments, pedestal_name):
        """Take in one exposure: its open statistics files, one unless it came in segments.

        Plane `pedestal_name` holds the pedestals that vote.
        """
        self.pedestal_name = pedestal_name
        steps = STEPS if self.settings.telegraph_search else ()
        totals = {name: np.zeros(self.science.shape, np.int32) for name in steps}
        valid = np.zeros(self.science.shape, bool)
        for statistics in segments:
            group_time_s = statistics[0].header["TGROUP"]
            for integration in range(statistics["SLOPE"].shape[0]):
                planes = {name: statistics[name].data[integration] for name in PLANES}
                planes["PEDESTAL"] = statistics[pedestal_name].data[integration]
                self._add_integration(planes, group_time_s)
                self.where.append((statistics[0].header.get("EXPOSURE", ""), integration + 1))
                for name, total in totals.items():
                    total += planes[name]
                valid |= planes["NGOOD"] > 0
        if self.settings.telegraph_search:
            needed = self._add_falls(*(totals[name] for name in STEPS), valid)
            name = exposure_of(segments[0][0].header.get("EXPOSURE", ""))
            self.fall_limits.append(Threshold("falls", "NFALL", AT_LEAST, float(needed), "groups", exposure=name))

    def _add_integration(self, planes, group_time_s):
        measured = measured_quantities(planes, self.settings, group_time_s, self.judged)
        for name, values, min_excess, min_certain in measured:
            excess = self.tests[name].add(values, min_excess, min_certain)
            if name == "rate":
                with np.errstate(invalid="ignore"):
                    self.hot.add(excess > self.settings.hot_rate_threshold, ~np.isnan(excess))

    def _add_falls(self, n_fall, n_rise, n_clear, valid):
        """One ballot per exposure: more falls than noise makes, whose rate the quiet pixels of the detector tell.

        Returns how many falls that takes.
        """
        judged = self.science & valid
        rate = quiet_rate(n_fall[judged])
        self.rise_rate += quiet_rate(n_rise[judged])
        ballot = ballot_probability(self.n_exposures, self.settings.high_cr_fraction, self.probability)
        needed = steps_needed(rate, ballot)
        self.falls.add(n_fall >= needed, valid)
        self.clear_votes += (n_clear >= needed) & valid
        certain = max(MIN_CERTAIN_FALLS, steps_needed(rate, self.probability / self.n_exposures))
        self.certain_falls |= _two_levels(n_fall, n_rise) & (n_fall >= certain) & valid
        self.n_fall += n_fall
        self.n_clear += n_clear
        self.n_rise += n_rise
        return needed

    def noise_ratio(self):
        """How much noisier than the typical one each pixel is, float32 (y, x), at least 1."""
        noise = self.tests["noise"].mean()
        return np.maximum(1, np.exp(np.where(np.isfinite(noise), noise, 0)))

    def _thresholds(self, name, test, side):
        """The Thresholds of ballot count `name`, those of the ExcessTest `test` (a key) on one side."""
        quantity, unit = QUANTITIES[test]
        quantity, direction, excess = quantity or self.pedestal_name, ABOVE if side == HIGH else BELOW, self.tests[test]
        # A margin that a setting asks for as well is the wider of the two.
        least = self.settings.warm_rate_threshold if test == "rate" else 0.0
        rows = []
        for bulks, (exposure, integration) in zip(excess.bulks, self.where, strict=True):
            for region, (centre, sigma) in enumerate(bulks, 1):
                where = {"exposure": exposure, "integration": integration, "region": region if len(bulks) > 1 else 0}
                margin = max(excess.ballot_sigma * sigma, least)
                rows.append(around(name, quantity, direction, centre, margin, unit, **where))
        for region, (centre, margin) in enumerate(excess.mean_limits[side], 1):
            region = region if len(excess.regions) > 1 else 0
            rows.append(Threshold(name, MEAN_EXCESS, direction, side * (centre + margin), unit, region=region))
        if test in FURTHER:
            quantity, part = FURTHER[test]
            rows.append(Threshold(name, quantity, ABOVE, part, "", margin=part))
        return (*rows, *vote_rows(name, excess.fraction, "integrations", self.settings.min_valid))

    def _hot_thresholds(self):
        """The Thresholds that tell hot from warm."""
        limit, test = self.settings.hot_rate_threshold, self.tests["rate"]
        rows = [
            around("hot_rate", "SLOPE", ABOVE, bulks[0][0], limit, "DN/s", exposure=exposure, integration=integration)
            for bulks, (exposure, integration) in zip(test.bulks, self.where, strict=True)
        ]
        return (*rows, *vote_rows("hot_rate", self.settings.hot_fraction, "integrations", self.settings.min_valid))

    def _verdict(self, found, tests, side, at_times=True):
        """A Verdict from ExcessTests (ballot count -> key of `tests`): unjudged when none had ballots enough."""
        thresholds = tuple(row for name, key in tests.items() for row in self._thresholds(name, key, side))
        tests = {name: self.tests[key] for name, key in tests.items()}
        judged = np.logical_or.reduce([test.judged(self.settings.min_valid) for test in tests.values()])
        strong = np.logical_or.reduce([test.intermittent(side) for test in tests.values()])
        ballots = {name: (test.votes[side], test.n_valid) for name, test in tests.items()}
        at_times = strong & ~found if at_times else None
        return Verdict(found & self.science, ~judged & self.science, ballots, at_times, thresholds)

    def verdicts(self):
        """Verdict per type, for the types whose search is on."""
        s, tests, scale = self.settings, self.tests, self.noise_ratio()
        result = {}
        if s.noisy_test == "cds":
            test = tests["noise"]
            result["noisy"] = self._verdict(test.found(HIGH, s.min_valid), {"cds_noise": "noise"}, HIGH)
        if "rate" in tests:
            bright = tests["rate"].found(HIGH, s.min_valid, scale)
            hot = bright & decide(self.hot.k, self.hot.n_valid, s.hot_fraction, s.min_valid)
            result["hot"] = self._verdict(hot, {"rate": "rate"}, HIGH)
            result["hot"].thresholds += self._hot_thresholds()
            result["warm"] = self._verdict(bright & ~hot, {"rate": "rate"}, HIGH, at_times=False)
        if "high_pedestal" in tests:
            high, low = tests["high_pedestal"], tests["low_pedestal"]
            found_high, found_low = high.found(HIGH, s.min_valid, scale), low.found(LOW, s.min_valid, scale)
            result["rc"] = self._verdict(found_high, {"high_pedestal": "high_pedestal"}, HIGH)
            result["low_pedestal"] = self._verdict(found_low, {"low_pedestal": "low_pedestal"}, LOW)
        if "first" in tests:
            for name, side in (("rc", HIGH), ("inverse_rc", LOW)):
                shape = {f"{key}_{name}": key for key in ("first", "early")}
                found = np.logical_or.reduce([tests[key].found(side, s.min_valid, scale) for key in shape.values()])
                # One difference is as easily bent by a cosmic ray: at times says nothing.
                verdict = self._verdict(found, shape, side, at_times=False)
                result[name] = result[name].either(verdict) if name in result else verdict
        if s.telegraph_search:
            votes = np.where(mainly_clear(self.n_fall, self.n_clear), self.clear_votes, self.falls.k)
            found = decide(votes, self.falls.n_valid, s.high_cr_fraction, s.min_valid)
            found &= _two_levels(self.n_fall, self.n_rise, self.rise_rate)
            needed = float(steps_needed(self.rise_rate, CHANCE_RISES))
            rises = Threshold("falls", "RISES", AT_LEAST, needed, "groups of all exposures")
            result["high_cr"] = Verdict(
                found & self.science,
                (self.falls.n_valid < s.min_valid) & self.science,
                {"falls": (votes, self.falls.n_valid)},
                self.certain_falls & ~found & self.science,
                (*self.fall_limits, rises, *vote_rows("falls", s.high_cr_fraction, "exposures", s.min_valid)),
            )
        return result


def dark_verdicts(vote, excess, science):
    """The verdict per dark type: those of the specification (a DarkVote), and of the searches beyond (a DarkExcess or
    None), which replace or complete them."""
    if excess is None:
        return vote.verdicts(science)
    s = excess.settings
    rc_tests = [] if s.pedestal_test == "calibrated" else ["high_pedestal"]
    rc_tests += [] if s.ramp_shape_search else ["rc_jumps"]
    verdicts, beyond = vote.verdicts(science, rc_tests), excess.verdicts()
    replaced = {"low_pedestal", "noisy", "high_cr"} & beyond.keys()
    kept = {name: verdict for name, verdict in verdicts.items() if name not in replaced}
    return {
        name: kept[name].either(beyond[name]) if name in kept and name in beyond else (kept | beyond)[name]
        for name in verdicts | beyond
    }
