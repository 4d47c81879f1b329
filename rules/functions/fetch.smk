# Recognition of the targets fetch and fetch_list, before the exposures are read.

from snakemake.cli import parse_args


def fetching():
    """True if the target of the command is `fetch` or `fetch_list`; WorkflowError if it has further targets.

    Snakemake knows the targets only after it has read the rules, so that they are taken from the command.
    """
    names = {workflow.modifier.modify_rulename(name) for name in ("fetch", "fetch_list")}
    words = sys.argv[1:]
    # Jobs read the rules again, with other arguments.
    if not workflow.is_main_process or not names.intersection(words):
        return False
    # A name of a target can also be a value, as in `--directory fetch`.
    targets = parse_args(words)[1].targets or set()
    if not names.intersection(targets):
        return False
    if len(targets) > 1:
        raise refusal(
            f"{', '.join(sorted(names.intersection(targets)))} must be the only target, since the exposures of a mask"
            " are read at the start of a run; run snakemake again for the masks"
        )
    return True
