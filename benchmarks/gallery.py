"""The pictures of the pixel types and of the algorithm, from simulated detectors with planted bad pixels.

    python benchmarks/gallery.py --out gallery --docs docs

Simulates a detector of NIRISS with the population `survey` (128 x 128 pixels, eight darks and six flats of 30 groups),
and one with a high dark current for cold pixels; runs the unmodified calwebb_detector1 and the workflow with the
defaults and with the preset flight; draws the ramps of planted pixels by the type that was found. Existing simulations
and masks are kept. Writes docs/images/pixel_<type>.png and algorithm_<topic>.png, and the lines between the marks
of docs/explanation/pixel_types.md: which pixels are shown, command and date. Executes docs/notebooks/a_pixel.ipynb on
the mask of the preset flight.
"""

import argparse
import datetime
from pathlib import Path

import gallery_algorithm
import numpy as np
import pandas as pd
from astropy.io import fits
from gallery_sets import COLD_LIMIT_DN_PER_S, REFERENCE, Detector, simulate_cold, simulate_survey
from gallery_style import HEALTHY, legend, new_figure, save
from gallery_types import Example, choose, draw_dark_type, draw_flat_type, draw_halo, healthy_beside

from badpix.formats.evidence_file import HALO_SOURCE
from badpix.formats.pixel_types import FLAT_TYPES, HALO_TYPE

PAGE, IMAGES, NOTEBOOK = "explanation/pixel_types.md", "images", "notebooks/a_pixel.ipynb"
COMMAND = "python benchmarks/gallery.py --out gallery --docs docs"
SLOW_TELEGRAPH_DN = 180.0
SATURATING_DN_PER_FRAME = 5000.0  # about a third of the ramp
# Type -> planted types, and the strength of the example in the unit of the simulator.
CHOICE = {
    "hot": (("hot",), 400.0), "rc": (("rc",), 1500.0), "low_pedestal": (("low_pedestal",), 300.0),
    "high_cr": (("telegraph",), 120.0), "noisy": (("noisy",), 5.0), "warm": (("hot",), 2.0),
    "inverse_rc": (("inverse_rc",), 600.0), "cold": (("dead",), 0.01),
    "DEAD": (("dead", "crds_flagged_dead"), 0.01), "LOW_QE": (("low_qe",), 0.3), "OPEN": (("open",), 0.15),
    "intermittent": (("intermittent_hot",), 200.0),
}  # fmt: skip


def draw_types(detector, cold, images):
    """Write the picture of each type; returns type -> line of the page that says which pixel is shown."""
    lines, examples = {}, {}
    hotter = choose(detector, "hot", ("hot",), SATURATING_DN_PER_FRAME)
    for name, (planted, strength) in CHOICE.items():
        home = cold if name == "cold" else detector
        example = examples[name] = choose(home, name, planted, strength)
        is_flat = name in FLAT_TYPES
        figure = (
            draw_flat_type(home, name, example, (example.y, example.x))
            if is_flat else draw_dark_type(
                home, name, example, hotter if name == "hot" else None, "hot" if name == "intermittent" else None
            )
        )  # fmt: skip
        save(figure, images / f"pixel_{name}.png")
        lines[name] = line(home, example)
    slow = choose(detector, "high_cr", ("slow_telegraph",), SLOW_TELEGRAPH_DN)
    save(draw_dark_type(detector, "high_cr", slow, quantity="slow_telegraph"), images / "pixel_slow_telegraph.png")
    lines["slow_telegraph"] = line(detector, slow)
    opened = examples["OPEN"]
    beside = Example(
        opened.y,
        opened.x + 1,
        "nothing: a neighbour of the open pixel above",
        healthy_beside(detector, opened.y, opened.x + 1),
    )
    save(draw_flat_type(detector, "ADJ_OPEN", beside, (opened.y, opened.x)), images / "pixel_ADJ_OPEN.png")
    lines["ADJ_OPEN"] = line(detector, beside)
    halo, source = strongest_halo(detector)
    save(draw_halo(detector, halo, source), images / f"pixel_{HALO_TYPE}.png")
    lines[HALO_TYPE] = line(detector, halo)
    save(draw_reference(detector), images / "pixel_reference.png")
    return lines


def strongest_halo(detector):
    """The Example of the strongest halo beside a source that does not saturate, and the source (y, x)."""
    evidence, types = detector.evidence["flight"], detector.truth.pixels
    sources = evidence.measured[HALO_SOURCE]
    slope = np.median([planes["SLOPE"] for planes in detector.statistics.values()], axis=0)
    found = []
    for y, x in np.argwhere(evidence.is_found(HALO_TYPE)):
        source = divmod(int(sources[y, x]), sources.shape[1])
        n_saturated = next(iter(detector.statistics.values()))["NSAT"][source]
        if n_saturated == 0 and min(*source) > 6:
            found.append((slope[y, x], (int(y), int(x)), source))
    _, (y, x), source = max(found)
    planted = types[(types["y"] == source[0]) & (types["x"] == source[1])].iloc[0]
    strength = f"{planted['type']}, {planted.strength:.4g} {planted.strength_unit}"
    words = f"nothing: a neighbour of x {source[1]}, y {source[0]} ({strength})"
    return Example(y, x, words, healthy_beside(detector, y, x)), source


def line(detector, example):
    """The line of the page that says which pixel is shown."""
    return (
        f"Shown: x {example.x}, y {example.y}, planted as {example.planted}. {detector.findings(example.y, example.x)}."
    )


def draw_reference(detector):
    """The picture of a noisy, an offset and a railed reference pixel: raw readings less the median of the border."""
    table = pd.read_csv(detector.folder / "truth_reference_pixels.csv")
    name = detector.names("dark")[0]
    with fits.open(detector.folder / "darks" / f"{name}_uncal.fits") as hdus:
        counts, group_s = hdus["SCI"].data[0].astype(float), hdus[0].header["TGROUP"]
    border = detector.truth.codes < 0
    bad = np.zeros_like(border)
    bad[table["y"], table["x"]] = True
    typical = np.median(counts[:, border & ~bad], axis=1)
    time = group_s * np.arange(1, len(counts) + 1)
    figure, panels = new_figure(widths=(1, 1, 1), height=2.7, legend_lines=1)
    for axes, kind in zip(panels, ("noisy", "offset", "railed"), strict=True):
        pixel = table[table["type"] == kind].iloc[len(table[table["type"] == kind]) // 2]
        rows, columns = np.nonzero(border & ~bad)
        # The nearest healthy pixel of the same parity.
        distance = np.hypot(rows - pixel["y"], columns - pixel["x"]) + 1000 * ((columns - pixel["x"]) % 2)
        healthy = rows[distance.argmin()], columns[distance.argmin()]
        axes.plot(time, counts[:, *healthy] - typical, **HEALTHY, label="healthy")
        axes.plot(time, counts[:, pixel["y"], pixel["x"]] - typical, color="#B34A00", linewidth=1.3, label=kind)
        axes.set(xlabel="time since the reset (s)")
        legend(axes)
    panels[0].set(ylabel="reading - median of the border (DN)")
    return figure


def write_between(text, name, words):
    """`text` with the lines between the marks of `name` replaced by `words`."""
    start, end = f"<!-- shown: {name} -->\n", "<!-- end -->"
    before, found, rest = text.partition(start)
    if not found:
        raise ValueError(f"{PAGE} has no mark {start.strip()!r}")
    return f"{before}{start}{words}\n{end}{rest.partition(end)[2]}"


def execute_notebook(path, folder):
    """Execute the notebook in the folder of a simulation, and store its output without data of this machine."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    for cell in notebook.cells:
        cell.metadata = {}
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    nbformat.write(notebook, path)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def main(out, docs, draw_only):
    """Simulate, run and draw; `draw_only` is a part, or None for all."""
    out, images = Path(out).resolve(), Path(docs) / IMAGES
    detector = Detector.made(out / "survey", simulate_survey, REFERENCE)
    cold = Detector.made(out / "cold", simulate_cold, {"cold_rate_threshold": COLD_LIMIT_DN_PER_S})
    if draw_only in (None, "types"):
        lines = draw_types(detector, cold, images)
        page = Path(docs) / PAGE
        text = page.read_text(encoding="utf-8")
        for name, words in lines.items():
            text = write_between(text, name, words)
        text = write_between(text, "command", f"`{COMMAND}`, {datetime.date.today().isoformat()}")
        page.write_text(text, encoding="utf-8")
    if draw_only in (None, "algorithm"):
        for topic, figure in gallery_algorithm.figures(detector):
            save(figure, images / f"algorithm_{topic}.png")
    if draw_only in (None, "notebook"):
        execute_notebook(Path(docs) / NOTEBOOK, detector.folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="folder of simulations and results")
    parser.add_argument("--docs", required=True, help="folder of the documentation")
    parser.add_argument("--only", choices=("types", "algorithm", "notebook"), help="part to make (all)")
    arguments = parser.parse_args()
    main(arguments.out, arguments.docs, arguments.only)
