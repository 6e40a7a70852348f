"""Correction of estimates, by how much longer than estimated requests took lately. Admission decides by it.

A request is done when its last window is, and batches are of like lengths: a text of a rare length waits for many
others, and of sixteen texts one nearly always does. So the error of an estimate depends on the number of windows.
"""

DECAY = 0.98
"""Factor for the weight of older requests at each new one."""
MOST = 8.0
"""Largest correction."""


class EstimateCorrection:
    """Of the requests to one model, by the order of magnitude of their windows."""

    def __init__(self) -> None:
        self._sums: dict[int, tuple[float, float]] = {}
        """Seconds as estimated and as measured, older ones with less weight."""

    def record(self, windows: float, *, estimated: float, took: float) -> None:
        """A request took so long from its queueing to its last output, or to its deadline."""
        key = int(windows).bit_length()
        before = self._sums.get(key, (0.0, 0.0))
        self._sums[key] = DECAY * before[0] + estimated, DECAY * before[1] + took

    def factor(self, windows: float) -> float:
        """By what an estimate is to be multiplied; never less than 1.

        >>> correction = EstimateCorrection()
        >>> correction.record(16, estimated=0.1, took=0.3)
        >>> round(correction.factor(20), 1), correction.factor(1)
        (3.0, 1.0)
        """
        estimated, took = self._sums.get(int(windows).bit_length(), (0.0, 0.0))
        return min(max(took / estimated, 1.0), MOST) if estimated else 1.0
