"""Options of the command of a run whose repetition loses a part of the configuration."""

from collections.abc import Sequence
from pathlib import Path

# Option -> its other spellings. Snakemake takes the values of the last one alone.
LAST_COUNTS = {"--configfile": ("--configfiles",), "--config": ("-C",)}


def is_snakemake(program: str) -> bool:
    """True if `program`, the first word of a command, is Snakemake itself."""
    path = Path(program)
    return path.name in ("snakemake", "snakemake.exe") or path.parts[-2:] == ("snakemake", "__main__.py")


def lost_options(words: Sequence[str]) -> list[str]:
    """A problem for each option of the configuration that the command `words` of Snakemake has more than once."""
    options = words[: words.index("--")] if "--" in words else words
    found = []
    for name, others in LAST_COUNTS.items():
        number = sum(word.split("=", 1)[0] in (name, *others) for word in options)
        if number > 1:
            values = "files" if name == "--configfile" else "keys"
            hint = "; a preset is a key of the configuration, such as preset: flight" if values == "files" else ""
            found.append(
                f"{name} is given {number} times, and Snakemake would drop all {values} but those of the last one; give"
                f" all {values} after a single {name}{hint}"
            )
    return found
