"""Whether the rates of a dark were multiplied by the GAINFACT of the gain reference file."""

from collections.abc import Callable, Mapping

from badpix.exposures.header_walk import HeaderInfo
from badpix.exposures.inventory import Exposure

# Status of the step gain_scale.
KEYWORD = "S_GANSCL"


def rates_are_scaled(
    dark: Exposure, header_info_of: Callable[[str], HeaderInfo], steps: Mapping[str, Mapping[str, object]]
) -> bool:
    """True unless the step gain_scale was, or will be, skipped for the rates of `dark`.

    Of given rates, their keyword S_GANSCL decides; `header_info_of(path)` gives the header information of a file. Of a
    raw file, and where the keyword is missing, `steps` decide, the value of the configuration key detector1_dark.
    """
    configured = "SKIPPED" if steps.get("gain_scale", {}).get("skip", False) else "COMPLETE"
    if not dark.from_products:
        return configured == "COMPLETE"
    return header_info_of(dark.files["rateints"])["keywords"].get(KEYWORD, configured) == "COMPLETE"
