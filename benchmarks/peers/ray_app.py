"""Ray Serve with `serve.batch`; one replica per core."""

import signal
import sys
from typing import Any

import ray
from ray import serve
from starlette.requests import Request

from benchmarks.peers.common import Predictor


@serve.deployment(num_replicas=2, max_ongoing_requests=256, ray_actor_options={"num_cpus": 0.5})
class Deployment:
    def __init__(self, task: str) -> None:
        self._predictor = Predictor(task)

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.002)
    async def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        return self._predictor(texts)

    async def __call__(self, request: Request) -> dict[str, Any]:
        text = (await request.json())["text"]
        return {"results": [await self.predict(text)]}


if __name__ == "__main__":
    task, port = sys.argv[1], int(sys.argv[2])
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    serve.start(
        http_options={"host": "127.0.0.1", "port": port},
        logging_config={"enable_access_log": False},
    )
    serve.run(Deployment.bind(task), route_prefix=f"/{task}")
    signal.sigwait({signal.SIGTERM})
    serve.shutdown()
    ray.shutdown()
