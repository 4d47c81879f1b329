"""The screenshots of docs/howto/report.md, from the report page of a finished run.

    python benchmarks/report_screenshots.py --page results/NRCA1/report.html --pixel 1018,1084 --out docs/images
    python benchmarks/report_screenshots.py --page results/NRCA1/report.html --out /somewhere --grey
    python benchmarks/report_screenshots.py --page results/NRCA1/report.html --out /somewhere --windows

`--grey` removes the colours, as in print in black and white, or for readers who see no colours.
`--windows` shows the whole page, too long for the documentation, in windows of several widths and in print.
"""

import argparse
import io
import sys
from pathlib import Path

from measure import PROJECT
from PIL import Image

sys.path[:0] = [str(PROJECT / "tests")]

from workflow.browser import opened  # noqa: E402

SECTIONS = {"map": "inspect", "distributions": "distributions"}
WIDTHS = (400, 768, 1400)
ZOOM_STEPS = 5  # of a factor of two, for report_pixel


def save(data, path, grey):
    """Write the screenshot `data` (PNG), and print its size."""
    image = Image.open(io.BytesIO(data)).convert("L" if grey else "RGB")
    if not grey:
        # A palette needs a third of the bytes; this method keeps the colours of large areas.
        image = image.quantize(method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def show_windows(path, fragment, out, grey):
    """Write the page at `path` as report_<width>.png for all WIDTHS, and as report_print.pdf."""
    for width in WIDTHS:
        with opened(path, fragment, width=width) as seen:
            seen.page.wait_for_function("document.documentElement.dataset.drawn")
            save(seen.page.screenshot(full_page=True), out / f"report_{width}.png", grey)
            if width == WIDTHS[-1]:
                seen.page.pdf(path=out / "report_print.pdf")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", required=True, type=Path, help="report.html of a detector")
    parser.add_argument(
        "--out", required=True, type=Path, help="folder of report_{results,map,distributions,pixel}.png"
    )
    parser.add_argument("--pixel", help="x,y of the pixel to show (the first bad one)")
    parser.add_argument("--grey", action="store_true", help="without colours")
    parser.add_argument("--windows", action="store_true", help="the whole page in windows of several widths, and print")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    fragment = f"#pixel={options.pixel}" if options.pixel else ""
    if options.windows:
        show_windows(options.page, fragment, options.out, options.grey)
        return
    with opened(options.page, fragment) as seen:
        seen.page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
        save(seen.page.locator("#results").screenshot(), options.out / "report_results.png", options.grey)
        for name, section in SECTIONS.items():
            seen.page.evaluate("(id) => document.getElementById(id).scrollIntoView()", section)
            # Plots are drawn when they scroll into view.
            seen.page.wait_for_timeout(2000)
            save(seen.page.screenshot(), options.out / f"report_{name}.png", options.grey)
        seen.page.evaluate("(id) => document.getElementById(id).scrollIntoView()", SECTIONS["map"])
        for _ in range(ZOOM_STEPS):
            seen.page.click("#zoom-in")
        seen.page.wait_for_timeout(2000)
        save(seen.page.screenshot(), options.out / "report_pixel.png", options.grey)


if __name__ == "__main__":
    main()
