"""LitServe with dynamic batching; one worker per core, as its documentation advises for CPUs."""

import sys
from typing import Any

import litserve

from benchmarks.peers.common import Predictor


class Api(litserve.LitAPI):
    def __init__(self, task: str) -> None:
        super().__init__(max_batch_size=64, batch_timeout=0.002, api_path=f"/{task}")
        self._name = task

    def setup(self, device: str) -> None:
        self._predictor = Predictor(self._name)

    def decode_request(self, request: dict[str, Any]) -> str:
        return str(request["text"])

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        return self._predictor(texts)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return {"results": [output]}


if __name__ == "__main__":
    server = litserve.LitServer(Api(sys.argv[1]), accelerator="cpu", workers_per_device=2)
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning"
    )
