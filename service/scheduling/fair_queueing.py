"""Start-time fair queueing: whose turn it is among the callers of a model.

P. Goyal, H. M. Vin and H. Cheng, "Start-time Fair Queueing: A Scheduling Algorithm for Integrated Services
Packet Switching Networks", SIGCOMM 1996. Every window gets a start tag when it is queued: the virtual time, or
the finish tag of the window before it in its flow if that is later; its finish tag is its start tag and its
length in tokens. The window with the lowest start tag is next, and its tag is the virtual time. So flows that wait
share the model equally, and one that was idle is served at once, whatever others have queued.

A flow is what one caller has of one size, in order of arrival. As sizes are flows of their own, a document does
not hold up the short requests of its own caller, or of all who come from one address, either. Leaves out what is
accepted (admission.py), how windows make a batch (window_queue.py), and how models share an executor
(executors.py).
"""

from dataclasses import dataclass
from typing import NamedTuple

Turn = tuple[float, int]
"""A start tag, and a number in order of arrival, which decides between equal tags."""


class FlowKey(NamedTuple):
    caller: str
    size: int


@dataclass(slots=True)
class Flow:
    """What is unfinished of one flow."""

    key: FlowKey
    finish: float = 0.0
    """Finish tag of its last window."""
    tokens: int = 0
    """Of windows without an output."""
    requests: int = 0


class FairClock:
    """The virtual time of one model, in tokens, and its flows. Use from the event loop only."""

    def __init__(self) -> None:
        self._now = 0.0
        self._flows: dict[FlowKey, Flow] = {}
        self._arrivals = 0

    def enter(self, key: FlowKey, tokens: int) -> Flow:
        """The flow of a request that is accepted; `leave` when it is over."""
        flow = self._flows.get(key)
        if flow is None:
            flow = self._flows[key] = Flow(key)
        flow.requests += 1
        flow.tokens += tokens
        return flow

    def leave(self, flow: Flow, tokens: int) -> None:
        """A request is over, with so many tokens unfinished."""
        flow.requests -= 1
        flow.tokens -= tokens
        if not flow.requests:
            del self._flows[flow.key]

    def stamp(self, flow: Flow, length: int) -> Turn:
        """The turn of a window."""
        start = max(self._now, flow.finish)
        flow.finish = start + length
        self._arrivals += 1
        return start, self._arrivals

    def advance(self, turn: Turn) -> None:
        """The window with this turn is computed."""
        self._now = max(self._now, turn[0])

    def tokens_before(self, key: FlowKey, tokens: float) -> float:
        """Tokens computed before a further request of a flow is done, if no others come: all of its own flow, and
        of every other as many as of its own and of itself."""
        flow = self._flows.get(key)
        queued = flow.tokens if flow else 0
        most = queued + tokens
        return queued + sum(
            [min(most, each.tokens) for each in self._flows.values() if each is not flow]
        )


def size(tokens: float, batch_tokens: int) -> int:
    """The size of a request: up to a batch, up to four, up to sixteen ...

    >>> [size(tokens, 1000) for tokens in (1, 999, 1000, 3999, 4000, 15_999, 16_000)]
    [0, 0, 1, 1, 2, 2, 3]
    """
    return (int(tokens / batch_tokens).bit_length() + 1) // 2
