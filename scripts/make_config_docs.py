"""Generate config/config.yaml and config/README.md from the configuration's schema.

Run it after every edit of the schema: `make docs`. A test compares the two files with the schema.
"""

import textwrap
from pathlib import Path

import yaml

from badpix.config.check import load_schema
from badpix.config.schema import allowed, resolve

CONFIG = Path(__file__).resolve().parent.parent / "config"
SCHEMA = CONFIG / "schemas" / "config.schema.yaml"
WIDTH = 110
# In place of the name of a rule.
RERUNS = {
    "inputs": "the list of exposures, and the rules that depend on it",
    "preset": "the rules of the keys that differ, and bad_pixel_mask",
}
GENERATED = "Generated from config/schemas/config.schema.yaml by scripts/make_config_docs.py; do not edit."

CONFIG_HEAD = """\
# The default of every key.
# {generated}
#
# Write only keys with other values into your own file, and pass it with --configfile:
#
#   preset: flight
#   darks: data/darks
#   flats: data/flats
#
# The full description of each key is in config/README.md.
"""

README_HEAD = """\
# Configuration

<!-- {generated} -->

{description}

Write the keys that differ from their defaults into your own file, and pass it to Snakemake:

```yaml
# my_config.yaml
preset: flight
darks: data/darks
flats: data/flats
```

```
snakemake --cores 4 --configfile my_config.yaml
```

Your values are merged with those of the preset and with the defaults, at any depth. Several files after a single
`--configfile` are merged too, and later files win; a second `--configfile` is refused, because Snakemake would drop the
files of the first. The whole configuration is checked before any job starts: unknown keys, values of a wrong type or
out of range, and keys that contradict each other are all listed. In paths, `~` is the home directory, `$NAME` and
`${{NAME}}` are environment variables, and `$$` is a dollar sign. Snakemake passes numbers inside a mapping of
`--config` as text, which is refused; use `--configfile`. After a change, only the rule named under "a change re-runs"
and the rules that depend on it run again.

"""


def keys_by_section(schema):
    """The schema's keys in groups: (section, heading, [(key, resolved node)])."""
    nodes = {key: resolve(node, schema) for key, node in schema["properties"].items()}
    return [
        (section, heading, [(key, node) for key, node in nodes.items() if node["section"] == section])
        for section, heading in schema["sections"].items()
    ]


def yaml_value(key, value):
    """`key: value` as YAML; mappings in block style, their values in flow style."""
    if isinstance(value, dict) and value:
        return "\n".join([f"{key}:", *(f"  {name}: {flow(inner)}" for name, inner in value.items())])
    return f"{key}: {flow(value)}"


def flow(value):
    """A value as YAML on a single line."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000)
    return text.removesuffix("...\n").rstrip("\n")


def properties(node, schema):
    """Unit, allowed values and the rule that a change re-runs: (name, text) pairs."""
    pairs = [("unit", node["unit"])] if "unit" in node else []
    return [
        *pairs,
        ("allowed", allowed(node, schema)),
        ("a change re-runs", RERUNS.get(node["changes"], node["changes"])),
    ]


def config_yaml(schema):
    """The text of config/config.yaml."""
    parts = [CONFIG_HEAD.format(generated=GENERATED)]
    for _, heading, keys in keys_by_section(schema):
        parts.append(f"\n# {'-' * 10} {heading} {'-' * 10}\n")
        for key, node in keys:
            unit = f" Unit: {node['unit']}." if "unit" in node else ""
            text = f"{node['description'].strip()}{unit} Allowed: {allowed(node, schema)}."
            comment = textwrap.fill(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
            parts.append(f"\n{comment}\n{yaml_value(key, node['default'])}\n")
    return "".join(parts)


def readme(schema):
    """The text of config/README.md."""
    parts = [README_HEAD.format(generated=GENERATED, description=schema["description"].strip())]
    keys = keys_by_section(schema)
    parts.append("| section | keys |\n|---|---|\n")
    for _, heading, members in keys:
        parts.append(f"| {heading} | {', '.join(f'[`{key}`](#{key})' for key, _ in members)} |\n")
    for _, heading, members in keys:
        parts.append(f"\n## {heading}\n")
        for key, node in members:
            description = textwrap.fill(node["description"].strip(), WIDTH, break_on_hyphens=False)
            parts.append(f"\n### `{key}`\n\n{description}\n\n")
            parts.append(f"```yaml\n{yaml_value(key, node['default'])}\n```\n\n")
            parts += [f"* {name}: {text}\n" for name, text in properties(node, schema)]
    return "".join(parts)


def main(schema_path, directory):
    """Write both files into `directory`."""
    schema = load_schema(schema_path)
    for name, text in (("config.yaml", config_yaml(schema)), ("README.md", readme(schema))):
        Path(directory, name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(SCHEMA, CONFIG)
