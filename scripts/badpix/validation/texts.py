"""The fixed texts of the page of the validation, as Markdown."""

from badpix.validation.targets import LEAST_SHARE

INTRODUCTION = """\
# Validation: completeness and false positives

Detectors with known bad pixels are simulated by `scripts/simulate.py`. The exposures are processed with the unmodified
calwebb_detector1 and the workflow, and the masks are compared with the truth. *Official* is `config/config.yaml`
(official defaults), *flight* adds `config/presets/flight.yaml`. Intervals are 95% (Wilson). Completeness is the share
of the planted pixels, at the stated limit of strength or stronger, that are found in their own type. Purity is the
share of the pixels found as a type that were planted for this type. Weaker pixels (but for weak hot pixels found as
warm), intermittent pixels that are bad in half or more of the exposures, and neighbours that receive charge of a bad
pixel count neither as right nor as false.
"""
POPULATIONS = {
    "realistic": """\
Made by `make validation` (population `realistic`): half of the bad pixels in clusters of 2 to 5, as in lists of flight,
hot pixels from 0.05 DN/s on, frames of the length of those of the full frame, read patterns of flight, capacitive
coupling, cosmic rays and snowballs. Detectors of [validation_survey.md](validation_survey.md) have more kinds of pixels
and strengths from undetectable to obvious.
""",
    "survey": """\
Made by `python scripts/validation.py --scenarios survey --n-seeds 5 --ablations --page PAGE`, PAGE being this page
(population `survey`): strengths from undetectable to obvious, clusters, intermittent pixels, an unlit strip, cosmic
rays and snowballs. [validation.md](validation.md) has read patterns and positions of flight.
""",
}
TARGETS = """\
Targets of the preset `flight`. The list below the table has the reasons of missed targets: how many of the planted
pixels are found, and what the others are taken for. The target of INSUFFICIENT leaves out the types whose completeness
misses its target, since the exposures do not suffice for them."""
DEPTHS = """\
Completeness of the preset by groups and exposures (darks + flats, one integration each), of pixels at the limits of 8
darks of 30 groups or stronger that are in no cluster; in brackets the number of pixels."""
NEEDED = f"""\
The smallest number of darks, and of flats, from which on at least {LEAST_SHARE} are found (> 10: not with 10, the
completeness with 10 in brackets):"""
ORIGINAL = """\
## For comparison: the rules of the original script

The rules of the `jwst_reffiles` script on another simulated detector (NIRCam, 256 x 256, 8 darks and 8 flats of 30
groups, evaluated with plain numpy, pedestals as in `fitopt`). Only the numbers are comparable: the exposures differ.

| planted | found as |
| --- | --- |
| dead, low_qe, open | DEAD 1.0 each; LOW_QE 1.0, OPEN 1.0, ADJ_OPEN 1.0 |
| hot, saturated | HOT 1.0 |
| hot, not saturated | HOT 0.0, RC 0.58, noisy 0.83 |
| rc | RC 1.0, high_cr 0.58 |
| telegraph, low_pedestal, noisy | 1.0 each in their own type |
| bad in 2 of 8 exposures | dead: DEAD 1.0; hot: noisy 1.0; telegraph, low pedestal: 0.0 |
| healthy, of 61,504 | noisy 1002 (16,292 per million), DEAD 165 (2,683 per million) |
"""
LIMITS = """\
## Known limits

* Telegraph noise of less than about 50 DN is below the threshold of the jump step. Telegraph noise that switches in
  fewer than half of the exposures is listed as intermittent and not flagged.
* Weak telegraph noise (most steps less than five times the read noise) that is bad in 3 of 8 exposures can get a fourth
  vote from a noise-induced downward jump. 1 in 1,000 healthy pixels has such a jump in an exposure. For strong
  telegraph noise only larger downward jumps count: 4 in 100,000.
* RC pixels with a long time constant and a small amplitude look like hot or warm pixels: the curvature of the ramp is
  below the noise. With a short time constant only a pedestal is left after the first group.
* The neighbour of an RC pixel, and of two hot pixels that saturate, has a halo that changes within the ramp; what the
  halo does not explain of it can be found as warm or as a telegraph pixel.
* MIRI has no superbias: its pedestals keep the scatter of the bias between pixels (40 DN in the simulator), so low
  pedestals below about 200 DN are not found.
* With 10 groups in a ramp, the noise of a pixel in a single ramp (median absolute deviation of nine differences) is
  uncertain by 40%, and a vote needs 2.5 times this uncertainty, so that a pixel that is noisy in three of eight darks
  is not flagged: pixels below about 4 times the read noise can miss the majority of votes.
* Dead pixels with a response of more than 0.02 receive enough charge from their neighbours to be classified as LOW_QE.
* A pixel with noise above its value in the read noise reference has many jumps in the jump step: of pixels planted at
  4 and 8 times their noise, 66 of 67 were flagged with DO_NOT_USE, but 50 of them as telegraph pixels
  ([injection.md](../howto/injection.md)).
* For slopes and noise, a cosmic ray cannot be distinguished from a bad pixel in a single integration: the list of
  intermittent pixels contains some healthy pixels.
"""
