"""The documentation site, built by `make docs`. All files come from this repository; no build needs a network.

The source folder is the root of the repository, so that the links of a page are the same on GitHub and in the site,
also links to README.md, config/README.md and ARCHITECTURE.md.
"""

import re
import sys
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from badpix import __version__  # noqa: E402

project = "jwst-badpix"
author = "the developers of jwst-badpix"
copyright = "the developers of jwst-badpix, BSD 3-Clause License"
version = release = __version__

root_doc = "docs/index"
include_patterns = ["*.md", "config/*.md", "docs/**"]
# Folders of runs in a clone are large: only these two are searched for pages.
exclude_patterns = [entry.name for entry in ROOT.iterdir() if entry.is_dir() and entry.name not in ("docs", "config")]
exclude_patterns += ["docs/_*", "**/.ipynb_checkpoints"]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]

# Notebooks are shown with their saved output; a test runs them.
nb_execution_mode = "off"
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
nitpicky = True
# Types of annotations: their pages are elsewhere (numpy, astropy), and no build needs a network.
nitpick_ignore_regex = [("py:.*", ".*")]

# The docstrings are plain text with names in single backticks, and numpydoc sections for longer lists of arguments.
default_role = "code"
autodoc_member_order = "bysource"
add_module_names = False
python_maximum_signature_line_length = 100
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"jwst-badpix {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path = ["_templates"]
# The page at the root of the site leads to docs/index.html.
html_additional_pages = {"index": "to_docs.html"}
html_show_sourcelink = False
html_copy_source = False


class Mermaid(SphinxDirective):
    """The diagram of ARCHITECTURE.md as its drawing, DRAWING: scripts that draw diagrams come from a network.

    A warning if the drawing lacks a word of the diagram.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        labels = re.findall(r'"([^"]+)"|\|([^|"]+)\|', "\n".join(self.content))
        words = set(re.findall(r"\w+", " ".join(map(" ".join, labels))))
        if missing := words - set(re.findall(r"\w+", (ROOT / DRAWING).read_text(encoding="utf-8"))):
            text = "%s has no %s; draw the diagram again with mermaid, such as on mermaid.live, without HTML labels"
            getLogger(__name__).warning(text, DRAWING, ", ".join(sorted(missing)), location=self.get_location())
        return [nodes.image(uri=f"/{DRAWING}", alt="the diagram of the rules and their files")]


DRAWING = "docs/images/architecture.svg"


def setup(app):
    app.add_directive("mermaid", Mermaid)
