"""How long tokens take to compute, learnt from the batches that were: what admission goes by."""

FORGETTING = 0.98
"""Weight of what was learnt before at each new batch."""
ENOUGH = 8
"""Batches to have seen before anything is estimated: the first ones are slow."""

FULL = 0.5
"""Share of the budget that batches fill when many texts of many lengths wait."""


class Pace:
    """So many seconds a batch and so many a token, by least squares over the recent batches.

    Tokens that come one by one take far longer than the same ones together, so the time of a token alone would
    say little about a queue. slices: a batch takes several slices, and what each of them got done is a guess;
    only their sums say anything then.
    """

    def __init__(self, batch_tokens: int, *, slices: bool) -> None:
        self._batch_tokens, self._slices = batch_tokens, slices
        self._seen = 0
        # sums over the batches, older ones with less weight: 1, tokens, seconds and products of these
        self._n = self._t = self._s = self._tt = self._ts = 0.0
        self.token = 0.0
        """Seconds of a thread for a token, in batches as full as they get; 0 while too little is known."""

    def learn(self, tokens: float, seconds: float) -> None:
        """A batch, or a slice, got so many tokens done in so many seconds."""
        self._seen += 1
        self._n = FORGETTING * self._n + 1
        self._t = FORGETTING * self._t + tokens
        self._s = FORGETTING * self._s + seconds
        self._tt = FORGETTING * self._tt + tokens * tokens
        self._ts = FORGETTING * self._ts + tokens * seconds
        if self._seen < ENOUGH or not self._t:
            return
        self.token = self._s / self._t
        spread = self._n * self._tt - self._t * self._t
        if not self._slices and spread > 0.01 * self._t * self._t:
            token = (self._n * self._ts - self._t * self._s) / spread
            batch = (self._s - token * self._t) / self._n
            if token > 0 and batch > 0:
                self.token = token + batch / (FULL * self._batch_tokens)
