"""Options of the command of a run whose repetition loses a part of the configuration."""

from collections.abc import Iterable, Sequence
from pathlib import Path

# Option -> its other spellings. Snakemake takes the values of the last one alone.
LAST_COUNTS = {"--configfile": ("--configfiles",), "--config": ("-C",)}


def is_snakemake(program: str) -> bool:
    """True if `program`, the first word of a command, is Snakemake itself."""
    path = Path(program)
    return path.name in ("snakemake", "snakemake.exe") or path.parts[-2:] == ("snakemake", "__main__.py")


def lost_options(words: Sequence[str], profiles: Iterable[str | Path] = ()) -> list[str]:
    """A problem for each option of the configuration that Snakemake reads in several places, of which the last counts.

    `words` are the arguments of the command, `profiles` the files of its profiles, which have options of the command.
    """
    options = words[: words.index("--")] if "--" in words else words
    in_profiles = {path: _options_of(path) for path in profiles}
    found = []
    for name, others in LAST_COUNTS.items():
        spellings = {spelling.lstrip("-") for spelling in (name, *others)}
        number = sum(word.split("=", 1)[0] in (name, *others) for word in options)
        having = [str(path) for path, keys in in_profiles.items() if keys & spellings]
        if having and number + len(having) > 1:
            places = [*(["the command"] if number else []), *(f"the profile {path}" for path in having)]
            found.append(
                f"{name} is given by {' and '.join(places)}, and Snakemake would take the values of one of them alone;"
                " give all values in one place"
            )
        if number > 1:
            values = "files" if name == "--configfile" else "keys"
            hint = "; a preset is a key of the configuration, such as preset: flight" if values == "files" else ""
            found.append(
                f"{name} is given {number} times, and Snakemake would drop all {values} but those of the last one; give"
                f" all {values} after a single {name}{hint}"
            )
    return found


def _options_of(profile: str | Path) -> set[str]:
    """The names of the options with values in the file of a profile; none of a file that is no YAML."""
    # Imported here because jobs do not check the command.
    import yaml

    try:
        content = yaml.safe_load(Path(profile).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return set()
    return {str(key).lstrip("-") for key, value in content.items() if value} if isinstance(content, dict) else set()
