"""How the log is written: an object a line for programs, or lines for people on a terminal.

A request is logged once, with figures and names and never with a text. This runs for every request in the event
loop, so it is written for speed: the JSON line costs no more than the text line of `logging` does.
"""

import logging
import math
import os
import re
import sys
import time
from typing import Any, TextIO

from pydantic_core import to_json

from service.settings import Settings
from service.telemetry.call import Call
from service.telemetry.metrics import PHASES

REQUEST = "%(method)s %(route)s %(status)d %(ms).1f ms %(request_id)s"
"""The message of a request, for people. Its arguments are `Lines`' fields, and `call`."""

access = logging.getLogger("textloom.access")
_REQUEST = vars(logging.LogRecord(access.name, logging.INFO, "", 0, REQUEST, None, None))

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def configure(settings: Settings, stream: TextIO = sys.stderr) -> None:
    """Log to `stream` from now on, as the settings say."""
    people = settings.log_format == "text" or (settings.log_format == "auto" and stream.isatty())
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s  %(message)s")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(text if people else Lines())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    # no line shows any of these, and finding them out would take half of the time
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None


def request(figures: dict[str, Any]) -> None:
    """Log a request with a record of our own: `logging` would find out the calling line and thread, which no line
    of the log shows, and that would take as long as all the rest."""
    now = time.time()
    record = logging.LogRecord.__new__(logging.LogRecord)
    record.__dict__.update(_REQUEST, args=figures, created=now, msecs=now % 1 * 1000)
    access.handle(record)


class Lines(logging.Formatter):
    """A JSON object a line. That of a request has its figures as fields."""

    _second, _clock = 0, ""

    def format(self, record: logging.LogRecord) -> str:
        second = int(record.created)
        if second != self._second:
            self._second = second
            self._clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        line: dict[str, Any] = {
            "time": f"{self._clock}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": os.getpid(),
        }
        if isinstance(record.args, dict):
            line |= record.args
            line["ms"] = round(line["ms"], 3)
            if call := line.pop("call"):
                _add_figures(line, call)
        else:
            line["message"] = record.getMessage()
            if record.exc_info:
                line["exception"] = self.formatException(record.exc_info)
        return to_json(line).decode()


class OncePerSecond:
    """Lets something that happens often be logged once a second."""

    def __init__(self) -> None:
        self._logged = -math.inf
        self._times = 0

    def due(self) -> int:
        """How often it has happened since it was logged, if it is to be logged now, else 0."""
        self._times += 1
        now = time.monotonic()
        if now - self._logged < 1:
            return 0
        times, self._times, self._logged = self._times, 0, now
        return times


def traceparent(given: bytes | None) -> str | None:
    """The caller's header if it has the form of one; of any other it might be anything, a text too."""
    return given.decode() if given and _TRACEPARENT.fullmatch(given) else None


def _add_figures(line: dict[str, Any], call: Call) -> None:
    """The sizes of a request, and what its models did. One that no model has answered has sizes only."""
    line["bytes_in"], line["bytes_out"] = call.bytes_in, call.bytes_out
    if not call.parts:
        return
    for phase, seconds in zip(PHASES, call.phases, strict=True):
        line[phase + "_ms"] = round(seconds * 1000, 3)
    models, texts, characters, tokens, expected = [], 0, 0, 0, 0.0
    for part in call.parts:
        models.append(f"{part.model.name}/{part.model.version}")
        texts += part.texts
        characters += part.characters
        tokens += part.tokens
        expected += part.expected
    line["models"], line["texts"] = models, texts
    line["characters"], line["tokens"] = characters, tokens
    line["expected_ms"] = round(expected * 1000, 3)
