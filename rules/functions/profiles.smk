# The profiles of the command, whose values Snakemake drops where the command has the same option.


def profile_files():
    """The files of the profiles of this command: those of --profile, and that of the workflow."""
    from snakemake.cli import get_argument_parser, get_profile_dir

    given, _ = get_argument_parser().parse_known_args(sys.argv[1:])
    name = given.workflow_profile or "default"
    # The places in which Snakemake looks for the profile of a workflow, the first of which counts.
    places = [Path(name), Path("profiles") / name, Path(workflow.main_snakefile).parent / "profiles" / name]
    own = [place for place in places if place.exists() and name != "none"][:1]
    profiles = [profile for profile in given.profile or () if profile != "none"]
    found = [get_profile_dir(str(profile)) for profile in (*profiles, *own)]
    return [entry[1] for entry in found if entry is not None]
