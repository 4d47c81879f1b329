"""The tables of a sweep of thresholds: the result of each point, and all points together."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from badpix.config.sweep import PRODUCT, Sweep, value_text
from badpix.formats.evidence_file import bit_image
from badpix.formats.truth_file import Truth
from badpix.formats.type_result import TypeResult
from badpix.instrument.geometry import cut
from badpix.mask.make import MaskVote
from badpix.mask.summary import summary_table
from badpix.score.pixels import Findings, score_run
from badpix.score.tables import completeness_table, purity_table, usual_accepted

COLUMNS = [
    "point", "swept", "value", "kind", "name", "n_pixels", "fraction", "n_insufficient", "expected", "planted",
    "found", "completeness", "completeness_low", "completeness_high", "purity", "purity_low", "purity_high",
    "healthy_flagged",
]  # fmt: skip


def findings_of(results: Mapping[str, TypeResult], dq: np.ndarray) -> Findings:
    """The Findings of `results` (type -> TypeResult) and a mask `dq` of their shape, as if read from files."""
    bits = {name: bit for bit, name in enumerate(results)}
    intermittent = {name: result.intermittent for name, result in results.items() if result.intermittent is not None}
    return Findings(
        found=bit_image({name: result.found for name, result in results.items()}, bits),
        bits=bits,
        dq=dq,
        insufficient=bit_image({name: result.insufficient for name, result in results.items()}, bits),
        intermittent=bit_image(intermittent, bits) if intermittent else None,
    )


def point_table(vote: MaskVote, truth: Truth | None = None) -> pd.DataFrame:
    """The result of a point: a row per type, per flag and, with `truth`, per planted type.

    Columns: COLUMNS from `kind` on. Counts of types and flags are the counts of the mask's summary. `healthy_flagged`
    is the number of healthy pixels found as the type; it needs a truth.
    """
    exposures = vote.exposures
    table = summary_table(vote.results, vote.dq, exposures.science).drop(columns="fraction_insufficient")
    if truth is not None:
        dq = cut(vote.dq, vote.frame, exposures.geometry)
        score = score_run(truth, findings_of(vote.results, dq), exposures.n_exposures)
        accepted = usual_accepted(score)
        pure = purity_table(score, accepted).set_index("detection")
        detection = table["name"].where(table["kind"] == "type")
        for column, source in (
            ("purity", "purity"),
            ("purity_low", "low"),
            ("purity_high", "high"),
            ("healthy_flagged", "false_healthy"),
        ):
            table[column] = detection.map(pure[source])
        complete = completeness_table(score, accepted).rename(
            columns={"type": "name", "low": "completeness_low", "high": "completeness_high"}
        )
        table = pd.concat([table, complete.assign(kind="planted")], ignore_index=True)
    return table.reindex(columns=COLUMNS[COLUMNS.index("kind") :]).astype({"n_pixels": "Int64"})


def sweep_table(tables: Mapping[str, pd.DataFrame], sweep: Sweep) -> pd.DataFrame:
    """The tables of all points of a Sweep (name -> table) as a single tidy table.

    With `one_at_a_time` a row belongs to the key in column `swept` at `value`, and the configured point appears under
    each key at its configured value. With `product` the two columns are empty. Columns: COLUMNS, then the value of each
    key, `at_<key>`.
    """
    parts = []
    for name, table in tables.items():
        values = sweep.configured | sweep.points[name]
        texts = {f"at_{key}": value_text(value) for key, value in values.items()}
        swept = [None] if sweep.grid == PRODUCT else list(sweep.points[name] or sweep.configured)
        for key in swept:
            point = {"point": name, "swept": key or "", "value": texts[f"at_{key}"] if key else ""}
            parts.append(table.assign(**point, **texts))
    table = pd.concat(parts, ignore_index=True)
    return table[COLUMNS + [f"at_{key}" for key in sweep.configured]]
