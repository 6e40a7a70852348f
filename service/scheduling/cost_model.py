"""The cost model: how long tokens take to compute, estimated from recent batches. Admission decides by it."""

DECAY = 0.98
"""Factor for the weight of older batches at each new one."""
MIN_BATCHES = 8
"""Batches before the first estimate: the first ones are slow."""

BATCH_FILL = 0.5
"""Share of the budget that batches fill when many texts of many lengths wait."""


class CostModel:
    """Seconds a batch and seconds a token, by least squares over the recent batches.

    A token costs far more in a batch of its own than in a full one, so the mean time of a token would say little
    about a queue. slices: a batch takes several slices, and what each of them got done is a guess; only their sums
    are used then.
    """

    def __init__(self, batch_tokens: int, *, slices: bool) -> None:
        self._batch_tokens, self._slices = batch_tokens, slices
        self._seen = 0
        # sums over the batches, older ones with less weight: 1, tokens, seconds and products of these
        self._n = self._t = self._s = self._tt = self._ts = 0.0
        self.seconds_per_token = 0.0
        """Of one thread, in batches as full as they get; 0 while too little is known."""

    def update(self, tokens: float, seconds: float) -> None:
        """A batch, or a slice, got so many tokens done in so many seconds."""
        self._seen += 1
        self._n = DECAY * self._n + 1
        self._t = DECAY * self._t + tokens
        self._s = DECAY * self._s + seconds
        self._tt = DECAY * self._tt + tokens * tokens
        self._ts = DECAY * self._ts + tokens * seconds
        if self._seen < MIN_BATCHES or not self._t:
            return
        self.seconds_per_token = self._s / self._t
        spread = self._n * self._tt - self._t * self._t
        if not self._slices and spread > 0.01 * self._t * self._t:
            token = (self._n * self._ts - self._t * self._s) / spread
            batch = (self._s - token * self._t) / self._n
            if token > 0 and batch > 0:
                self.seconds_per_token = token + batch / (BATCH_FILL * self._batch_tokens)
