"""The only module that knows ONNX Runtime: opens a graph and runs it.

One `Session` may be run by many threads at once; `run` releases the GIL.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray

from service.errors import BundleError
from service.registry.bundle import Bundle
from service.tasks import graph_check

# ONNX Runtime would report its use to its maker from the moment it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime as ort

Array = NDArray[Any]


class Session:
    """An ONNX graph, ready to run on one core per call.

    One thread a call and many calls at once beats many threads a call; the arena
    and the memory pattern are off because lengths vary and the arena would only grow.

    Raises BundleError if the file is not a graph that can be loaded, or not one that may be (graph_check.py).
    """

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        """content: of the file, if it has been read."""
        graph = path.read_bytes() if content is None else content
        graph_check.check(graph, path)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise BundleError(f"{path}: ONNX Runtime cannot load this graph: {error}") from error
        self.inputs = {value.name for value in self._session.get_inputs()}
        self.outputs = [value.name for value in self._session.get_outputs()]

    @classmethod
    def of(cls, bundle: Bundle, name: str) -> Self:
        """A graph of a bundle."""
        return cls(bundle.file(name), bundle.content(name))

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str] | None = None) -> list[Array]:
        """The named `outputs` (all, in the graph's order, if none are named) for `feeds`."""
        result: list[Array] = self._session.run(outputs, dict(feeds))
        return result
