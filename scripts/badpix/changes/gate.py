"""May a new mask be released? Not if it differs too much from the one before."""


class ReleaseRefused(Exception):
    """The new mask differs from the one before by more than is allowed; the message has the numbers."""


def check_release(summary, limits):
    """The checks made: change -> pixels, science pixels, fraction, limit. ReleaseRefused when one is exceeded.

    `summary` is that of `mask_changes.change_counts`; `limits` maps `new` and `recovered` to the largest fraction of
    the science pixels that is allowed, or None.
    """
    checks, refused = {}, []
    for change, limit in limits.items():
        if limit is None:
            continue
        pixels, science, fraction = summary[change], summary["science_pixels"], summary[f"{change}_fraction"]
        checks[change] = {"pixels": pixels, "science_pixels": science, "fraction": fraction, "limit": limit}
        if fraction > limit:
            refused.append(
                f"{pixels} of {science} science pixels are {change}, a fraction of {fraction:.3g};"
                f" max_{change}_fraction is {limit:g}"
            )
    if refused:
        raise ReleaseRefused(
            f"{summary['after']['file']} differs too much from {summary['before']['file']}: {'; '.join(refused)}"
        )
    return checks
