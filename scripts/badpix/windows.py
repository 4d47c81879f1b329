"""The early and the late groups of an integration, in which jumps are compared."""


def early_late_window(n_groups, early_cutoff_fraction):
    """Length of the equal early and late windows, `int(early_cutoff_fraction * n_groups)` groups.

    The small term keeps products such as 0.29 * 100, which is below 29 in floating point, from losing a group.
    """
    return int(early_cutoff_fraction * n_groups + 1e-9)
