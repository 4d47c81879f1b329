"""The documentation builds without a warning: every link, anchor and image of every page exists."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_site_builds_without_warnings_and_has_every_page(tmp_path):
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs", ".", str(tmp_path)]
    run = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    patterns = ("*.md", "config/**/*.md", "docs/*.md", "docs/[!_]*/**/*.md")
    pages = [path.relative_to(ROOT) for pattern in patterns for path in ROOT.glob(pattern)]
    assert Path("README.md") in pages and Path("docs/explanation/algorithm.md") in pages
    assert [str(page) for page in pages if not (tmp_path / page).with_suffix(".html").exists()] == []
