"""The settings of the service: one frozen object, read once from the command line and TEXTLOOM_* variables.

Leaves out everything that belongs to a model: that travels in its bundle.
"""

import argparse
import math
import os
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, DirectoryPath, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from service.auth import api_keys
from service.registry import pins, signatures

PREFIX = "TEXTLOOM_"

Count = Annotated[int, Field(ge=1)]


def _pins(given: object) -> object:
    """`ner=2,sentiment=1` as a dict."""
    return pins.parse(given) if isinstance(given, str) else given


def _traceable(endpoint: str) -> str:
    if endpoint and not (find_spec("opentelemetry") and find_spec("opentelemetry.sdk")):
        raise ValueError(
            "Traces need more: pip install --require-hashes -r requirements/traces.txt"
        )
    return endpoint


def address(given: str) -> tuple[str, int]:
    """`127.0.0.1:8001`, or `[::1]:8001`, as a host and a port. Raises ValueError."""
    host, _, port = given.rpartition(":")
    if not (host and port.isdecimal() and int(port) < 65536):
        raise ValueError("Input should be a host and a port, such as 127.0.0.1:8001")
    return host.strip("[]"), int(port)


def _admin(given: str) -> str:
    if given:
        address(given)
    return given


def _origins(given: object) -> object:
    """`https://app.example,https://other.example` as a tuple."""
    if not isinstance(given, str):
        return given
    origins = tuple(origin.strip() for origin in given.split(",") if origin.strip())
    for origin in origins:
        if not re.fullmatch(r"\*|[a-z][a-z0-9+.-]*://[^/?#\s]+", origin):
            raise ValueError("Input should be origins without paths, such as https://app.example")
    return origins


def _root_path(given: str) -> str:
    if given and not re.fullmatch(r"(?:/[\w.~-]+)+", given):
        raise ValueError("Input should be a path without a final slash, such as /nlp")
    return given


def _grpc(given: str) -> str:
    if given:
        address(given)
        if not find_spec("grpc"):
            raise ValueError(
                "gRPC needs more: pip install --require-hashes -r requirements/grpc.txt"
            )
    return given


def _trusted_keys(path: Path) -> Path:
    signatures.read_keys(path)
    return path


def _keys(path: Path) -> Path:
    try:
        api_keys.read(path)
    except OSError as error:
        raise ValueError(str(error)) from None
    return path


Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)]
Pins = Annotated[dict[str, Count], NoDecode, BeforeValidator(_pins)]


class Settings(BaseSettings):
    """Every field is a flag `--like-this` of `python -m service` and a variable `TEXTLOOM_LIKE_THIS`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    models: DirectoryPath = Path("models")
    """Model repository: a folder with bundles NAME/VERSION/. Of each model, the highest version is served, or
    the one in the file NAME/pinned."""
    pins: Pins = {}
    """Versions to serve instead, such as ner=2,sentiment=1."""
    trusted_keys: Annotated[Path, AfterValidator(_trusted_keys)] | None = None
    """File of public keys, PEM, one of which must have signed a bundle (`python -m service models sign`); none: no
    signature is needed. It needs requirements/signatures.txt."""
    watch_seconds: Annotated[float, Field(gt=0)] = 10.0
    """Seconds between scans of the repository. New versions are served without a restart."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for all interfaces."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """Port to listen on; 0 for a free one, which is logged."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Number of worker processes; 0 for one per core that is available to the container."""
    threads: Annotated[int, Field(ge=0)] = 0
    """Threads per process that run the networks; 0 for all cores of that process. 1 runs them in the event
    loop, between requests, which is fastest."""
    cors_origins: Origins = ()
    """Origins whose web pages may call the service (CORS), such as https://app.example, separated by commas; * for
    all."""
    root_path: Annotated[str, AfterValidator(_root_path)] = ""
    """Path prefix under which a proxy serves the service, such as /nlp, whether or not the proxy strips it."""
    keys: Annotated[Path, AfterValidator(_keys)] | None = None
    """Key file, made by `python -m service keys`; callers must send one of its keys. None: no key is needed."""
    admin: Annotated[str, AfterValidator(_admin)] = ""
    """HOST:PORT for health and metrics, which are then served only there; port 0 for a free one."""
    grpc: Annotated[str, AfterValidator(_grpc)] = ""
    """HOST:PORT for the Open Inference Protocol over gRPC; port 0 for a free one. Needs
    requirements/grpc.txt."""
    max_connections: Count = 1000
    """Maximum number of connections per process. A further connection replaces the one that has been idle
    longest, or is answered 503 if none is idle."""
    max_inflight_bytes: Count = 16 * 1024 * 1024
    """Maximum size of all bodies and unsent answers in a process, in bytes. Beyond that, the transfer that has
    taken longest is dropped, or the new body is answered 503."""
    max_head_bytes: Annotated[int, Field(ge=0)] = 32 * 1024
    """Maximum size of the request line and headers, in bytes; 0 for no limit."""
    read_seconds: Annotated[float, Field(ge=0)] = 60.0
    """Seconds to receive the headers of a request, and again to receive its body; 0 for no limit."""
    write_seconds: Annotated[float, Field(ge=0)] = 60.0
    """Seconds to send an answer; 0 for no limit."""
    idle_seconds: Count = 65
    """Seconds until an idle connection is closed; set it higher than the idle timeout of your proxy."""
    max_body_bytes: Count = 4 * 1024 * 1024
    """Maximum size of a request body, in bytes."""
    max_texts: Count = 1024
    """Maximum number of texts in a request."""
    max_characters: Count = 1_000_000
    """Maximum number of characters in a request, over all its texts. A process answers twice as many at once;
    meanwhile further requests of more than 20,000 characters are answered 503."""
    batch_tokens: Count = 1024
    """Maximum number of tokens in a batch, including padding; a longer window runs alone."""
    queue_tokens: Count = 65_536
    """Maximum number of tokens queued for a model up to and including a request; beyond that it is refused.
    Work that fair queueing serves later does not count."""
    timeout_ms: Count = 30_000
    """Default deadline of a request, in milliseconds; callers may set a shorter or longer one."""
    max_timeout_ms: Count = 300_000
    """Longest deadline that a caller may set, in milliseconds."""
    shutdown_seconds: Count = 20
    """Seconds for in-flight requests to finish after SIGTERM."""
    hang_seconds: Annotated[float, Field(gt=0)] = 30.0
    """Seconds after which an unresponsive worker is killed and replaced; after a third of them, /health/ready
    reports it."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Minimum level of log messages. Texts are never logged."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """json: one object per line; text: readable lines; auto: text on a terminal, else json."""
    traces: Annotated[str, AfterValidator(_traceable)] = ""
    """URL of an OpenTelemetry collector for spans, such as http://localhost:4318/v1/traces; empty for none. Needs
    requirements/traces.txt."""

    @property
    def processes(self) -> int:
        """How many processes serve."""
        return self.workers or cores()

    @property
    def threads_each(self) -> int:
        """How many threads of each process run the networks."""
        return self.threads or max(1, cores() // self.processes)


def read(arguments: Sequence[str] | None = None, *, program: str = "python -m service") -> Settings:
    """The settings from the command line, for what is not there from the environment, else the defaults.

    Ends the process with a line of explanation and status 2 if a value is wrong. program: what was called.
    """
    parser = argparse.ArgumentParser(
        prog=program,
        description=f"Serves a model repository over HTTP; `{program} models` manages one,\n"
        f"`{program} keys` the keys of callers.",
        formatter_class=argparse.RawTextHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    for name, field in Settings.model_fields.items():
        default = "none" if field.default in ({}, (), "", None) else field.default
        described = str(field.description).replace("python -m service", program)
        about = f"{described}\ndefault {default}, variable {PREFIX}{name.upper()}"
        parser.add_argument(_flag(name), metavar=name.upper(), help=about)
    given = vars(parser.parse_args(arguments))
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        source = _flag(name) if name in given else PREFIX + name.upper()
        parser.error(f"{source}: {first['msg']}, not {first['input']!r}")


def cores() -> int:
    """The cores that this process really has: its CPU affinity, and the quota of its container."""
    return max(1, math.ceil(min(len(os.sched_getaffinity(0)), _quota())))


def _quota(root: Path = Path("/sys/fs/cgroup")) -> float:
    """Cores worth of CPU time that the control group grants, infinity if it sets no limit."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:  # version 1
            quota = (root / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return math.inf
    return math.inf if quota in ("max", "-1") else int(quota) / int(period)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
