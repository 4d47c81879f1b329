"""The numbers of the science check and their results, as words. Without slow imports: every end of a run loads it."""

OUTLIERS, AREA = "outliers let through", "good area lost"
BETTER, WORSE, MIXED, SAME, OPEN = "better", "worse", "mixed", "not distinguishable", "not measured"
