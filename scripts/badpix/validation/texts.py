"""The fixed texts of the page of the validation, as Markdown."""

from badpix.validation.targets import LEAST_SHARE

INTRODUCTION = """\
# Validation: completeness and false positives

`scripts/simulate.py` simulates detectors with known bad pixels. The unmodified calwebb_detector1 and the workflow
process the exposures, and the masks are compared with the truth. *Official* is `config/config.yaml` (official
defaults), *flight* adds `config/presets/flight.yaml`. Intervals are 95% (Wilson).

* *Completeness*: fraction of the planted pixels, at the stated limit of strength or stronger, that are found in their
  own type.
* *Purity*: fraction of the pixels found as a type that were planted for this type.
* Not counted, neither as correct nor as false: weaker pixels (except weak hot pixels found as warm), intermittent
  pixels that are bad in half of the exposures or more, and neighbours that receive charge of a bad pixel.
"""
POPULATIONS = {
    "realistic": """\
Made by `make validation` (population `realistic`): half of the bad pixels in clusters of 2 to 5, as in lists of flight;
hot pixels from 0.05 DN/s on; frames with the duration of full frames; read patterns of flight; capacitive coupling,
cosmic rays and snowballs. [validation_survey.md](validation_survey.md) has more kinds of pixels, with strengths from
undetectable to obvious.
""",
    "survey": """\
Made by `python scripts/validation.py --scenarios survey --n-seeds 5 --ablations --page PAGE`, with this page as PAGE
(population `survey`): strengths from undetectable to obvious, clusters, intermittent pixels, an unlit strip, cosmic
rays and snowballs. [validation.md](validation.md) has read patterns and positions of flight.
""",
}
TARGETS = """\
Targets of the preset `flight`. The list below the table has the reasons of missed targets: numbers of the planted
pixels that are found, and the types of the others. The target of INSUFFICIENT leaves out types whose completeness
misses its target, because the exposures do not suffice for these types."""
DEPTHS = """\
Completeness of the preset by groups and exposures (darks + flats, one integration each), for pixels in no cluster, at
the limits of 8 darks of 30 groups or stronger; number of pixels in brackets."""
NEEDED = f"""\
The smallest number of darks, and of flats, with a completeness of at least {LEAST_SHARE} (> 10: not with 10, with the
completeness of 10 in brackets):"""
ORIGINAL = """\
## For comparison: the rules of the original script

The rules of the `jwst_reffiles` script on another simulated detector (NIRCam, 256 x 256 pixels, 8 darks and 8 flats of
30 groups, evaluated with plain numpy, pedestals of `fitopt`). Only the numbers are comparable: the exposures differ.

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

* **Weak telegraph noise.** Telegraph noise below about 50 DN is below the threshold of the jump step. Telegraph noise
  that switches in fewer than half of the exposures is listed as intermittent and not flagged.
* **Telegraph noise in 3 of 8 exposures.** A pixel with weak telegraph noise (most steps below five times the read
  noise) can get a fourth vote from a noise-induced downward jump: 1 in 1,000 healthy pixels has such a jump in an
  exposure. For strong telegraph noise only larger downward jumps count: 4 in 100,000.
* **RC pixels** with a long time constant and a small amplitude resemble hot or warm pixels: the curvature of the ramp
  is below the noise. With a short time constant, only a pedestal remains after the first group.
* **Halos.** The neighbour of an RC pixel, or of two saturated hot pixels, has a halo that changes within the ramp.
  The remainder without the modelled halo can be found as warm or as a telegraph pixel.
* **MIRI** has no superbias: its pedestals contain the scatter of the bias between pixels (40 DN in the simulator), so
  low pedestals below about 200 DN are not found.
* **Ramps of 10 groups.** The noise of a pixel in a single ramp (median absolute deviation of nine differences) has an
  uncertainty of 40%. A vote requires 2.5 times this uncertainty, so that a pixel that is noisy in three of eight
  darks is not flagged. Pixels below about 4 times the read noise can miss the majority of votes.
* **Dead pixels** with a response of more than 0.02 receive enough charge from their neighbours to be classified as
  LOW_QE.
* **Noise above the read noise reference.** The jump step finds many jumps in a pixel with noise above its value in
  the read noise reference: of pixels planted at 4 and 8 times their noise, 66 of 67 are flagged with DO_NOT_USE, 50
  of them as telegraph pixels ([injection_nircam.md](injection_nircam.md)).
* **Intermittent pixels.** In a single integration, slope and noise do not distinguish a cosmic ray from a bad pixel:
  the list of intermittent pixels contains some healthy pixels.
"""
