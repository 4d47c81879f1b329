"""The values of EXP_TYPE, by the light of the exposures. The names are those of the keyword in stdatamodels."""

DARK, LAMP, SKY = "dark", "lamp", "sky"
# Why exposures of these types are neither darks nor flats.
SPECTRA = "spectra, which do not illuminate the whole detector"
TARGET = "target acquisition, guiding or the check of it, on a small part of the detector"
BLOCKED = "behind a coronagraph, an aperture mask or the micro-shutters, which leave parts of the detector dark"
DEFOCUSED = "for wavefront sensing, out of focus"

_TYPES = {
    DARK: "NRC_DARK NIS_DARK NRS_DARK MIR_DARKALL MIR_DARKIMG MIR_DARKMRS FGS_DARK",
    LAMP: "NRC_LED NIS_LAMP NRS_LAMP NRS_AUTOFLAT MIR_FLATIMAGE MIR_FLATMRS FGS_INTFLAT",
    SKY: "NRC_FLAT NRC_IMAGE NRC_TSIMAGE NIS_EXTCAL NIS_IMAGE MIR_FLATIMAGE-EXT MIR_FLATMRS-EXT MIR_IMAGE FGS_SKYFLAT"
    " FGS_IMAGE",
    SPECTRA: "NRC_GRISM NRC_WFSS NRC_TSGRISM NIS_SOSS NIS_WFSS MIR_LRS-FIXEDSLIT MIR_LRS-SLITLESS MIR_MRS MIR_WFSS"
    " NRS_AUTOWAVE NRS_BRIGHTOBJ NRS_FIXEDSLIT NRS_IFU NRS_MSASPEC",
    TARGET: "FGS_ACQ1 FGS_ACQ2 FGS_FINEGUIDE FGS_ID-IMAGE FGS_ID-STACK FGS_TRACK MIR_TACONFIRM MIR_TACQ NIS_TACQ"
    " NIS_TACONFIRM NRC_TACONFIRM NRC_TACQ NRS_CONFIRM NRS_MSATA NRS_TACONFIRM NRS_TACQ NRS_TASLIT NRS_VERIFY NRS_WATA",
    BLOCKED: "MIR_4QPM MIR_CORONCAL MIR_LYOT NIS_AMI NRC_CORON NRS_IMAGE",
    DEFOCUSED: "FGS_FOCUS NIS_FOCUS NRC_FOCUS NRC_WFSC NRS_FOCUS NRS_MIMF",
}
# EXP_TYPE -> DARK, LAMP or SKY, or why it is neither a dark nor a flat.
LIGHT_OF = {name: light for light, names in _TYPES.items() for name in names.split()}
# The lights of the exposures of each kind.
LIGHTS = {"darks": (DARK,), "flats": (LAMP, SKY)}
INSTRUMENT_OF = {"NRC": "NIRCAM", "NIS": "NIRISS", "NRS": "NIRSPEC", "MIR": "MIRI", "FGS": "FGS", "GUI": "FGS"}


def instrument_of(name: str) -> str | None:
    """INSTRUME of an EXP_TYPE or of a detector, from the first letters; None for an unknown name."""
    return INSTRUMENT_OF.get(name[:3])


def types_of(kind: str, instrument: str | None = None) -> list[str]:
    """The EXP_TYPEs that can be of `kind` (darks, flats), of all instruments or of a single instrument."""
    return [
        name for name, light in LIGHT_OF.items() if light in LIGHTS[kind] and instrument in (None, instrument_of(name))
    ]


def sees_sky(exp_type: object) -> bool:
    """Whether the exposures of a type have sources of the sky in them."""
    return LIGHT_OF.get(str(exp_type)) == SKY


def is_even(exp_type: object) -> bool:
    """Whether a flat is illuminated so evenly and brightly that all its pixels can be classified: the flats of lamps.

    NRS_AUTOFLAT is an exposure of a lamp through the micro-shutters: the detector is dark beside the spectra.
    """
    return not sees_sky(exp_type) and exp_type != "NRS_AUTOFLAT"
