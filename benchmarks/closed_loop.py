"""Closed-loop load with wrk: so many connections, each sends its next request when it has its answer."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local requests, number = {}, 0
function init()
  for body in io.lines("%s") do requests[#requests + 1] = wrk.format(nil, nil, nil, body) end
end
function request()
  number = number %% #requests + 1
  return requests[number]
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.stderr:write(string.format(
    '{"requests": %%d, "seconds": %%f, "failed": %%d, "p50": %%f, "p99": %%f}',
    summary.requests, summary.duration / 1e6,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
"""


@dataclass(frozen=True)
class Load:
    requests: int
    seconds: float
    failed: int
    p50: float
    """Seconds."""
    p99: float

    @property
    def rate(self) -> float:
        """Answers per second. Raises RuntimeError if a request failed: a rate of errors is none."""
        if self.failed:
            raise RuntimeError(f"{self.failed} of {self.requests} requests failed")
        return self.requests / self.seconds


def wrk(port: int, path: str, bodies: list[str], *, connections: int, seconds: float) -> Load:
    """Sends the bodies in turn. Raises RuntimeError without wrk, or with what it says if it fails."""
    if not shutil.which("wrk"):
        raise RuntimeError("wrk is missing; on Debian and Ubuntu: apt install wrk")
    with tempfile.TemporaryDirectory() as folder:
        lines, script = Path(folder, "bodies"), Path(folder, "script.lua")
        lines.write_text("\n".join(bodies) + "\n")
        script.write_text(SCRIPT % lines)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
        command += ["--timeout", "30s", "-s", str(script), f"http://127.0.0.1:{port}{path}"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"wrk: {ran.stdout}{ran.stderr}")
    return Load(**json.loads(ran.stderr))
