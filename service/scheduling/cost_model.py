"""The cost model: how long tokens take to compute, estimated from recent batches. Admission decides by it.

A batch takes passes through the network: one, or if it is stepwise one a step. A pass has a fixed cost and one
for each unit that it computes: a token, or in a step a window. So tokens cost far less in a full batch than in one
of their own, and the estimate depends on how full a batch they make.
"""

DECAY = 0.98
"""Factor for the weight of older batches at each new one."""
MIN_BATCHES = 8
"""Batches before the first estimate: the first ones are slow."""
BATCH_FILL = 0.5
"""Share of the budget that batches fill when many texts of many lengths wait."""


class CostModel:
    """Seconds a pass and seconds a unit, by least squares over the recent batches, or slices of them."""

    def __init__(self, batch_tokens: int, *, stepwise: bool) -> None:
        self._budget, self._stepwise = BATCH_FILL * batch_tokens, stepwise
        self._seen = 0
        # sums over the batches, older ones with less weight: tokens, passes, units, seconds and products of these
        self._t = self._p = self._u = self._s = 0.0
        self._pp = self._pu = self._uu = self._ps = self._us = 0.0
        self._pass = self._unit = 0.0
        self._units_per_token = 1.0

    def update(self, *, tokens: float, passes: int, units: float, seconds: float) -> None:
        """A batch, or a slice, got so many tokens done, in so many passes over so many units together."""
        self._seen += 1
        self._t = DECAY * self._t + tokens
        self._p = DECAY * self._p + passes
        self._u = DECAY * self._u + units
        self._s = DECAY * self._s + seconds
        self._pp = DECAY * self._pp + passes * passes
        self._pu = DECAY * self._pu + passes * units
        self._uu = DECAY * self._uu + units * units
        self._ps = DECAY * self._ps + passes * seconds
        self._us = DECAY * self._us + units * seconds
        if self._seen < MIN_BATCHES or not (self._t and self._u):
            return
        self._units_per_token = self._u / self._t
        # where batches are all alike, nothing tells the two apart: each may be half of the cost
        self._pass, self._unit = self._s / self._p / 2, self._s / self._u / 2
        spread = self._pp * self._uu - self._pu * self._pu
        if spread > 0.01 * self._pu * self._pu:
            a_pass = (self._ps * self._uu - self._us * self._pu) / spread
            a_unit = (self._us * self._pp - self._ps * self._pu) / spread
            if a_pass > 0 and a_unit > 0:
                self._pass, self._unit = a_pass, a_unit

    def seconds(self, tokens: float, windows: float) -> float:
        """Of one thread, for these tokens in so many windows, in batches as full as they get; 0 while too little
        is known."""
        if not (tokens and self._pass):
            return 0.0
        units = self._units_per_token * tokens
        most = self._budget
        if self._stepwise:
            width = min(windows, most * windows / tokens)
        else:
            width = min(tokens, most)
        return units * (self._pass / max(1.0, width) + self._unit)
