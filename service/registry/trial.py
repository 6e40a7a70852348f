"""A trial: loads a bundle in a process of its own, so that one which takes too long, or all memory, harms nobody.

`python -m service.registry.trial FOLDER [KEYS]` says what is wrong with it. Leaves out what is checked (tasks/).
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from service.errors import BundleError

SECONDS = 60
"""Of processor time: fifty times what the largest shipped bundle takes. By the clock ten times that, for a hung
disk."""
_REFUSED = 3


def run(path: Path, trusted_keys: Path | None = None, seconds: int = SECONDS) -> None:
    """Raises BundleError that says what is wrong with the bundle in folder `path`, as `tasks.load` does."""
    command = [sys.executable, "-m", __name__, str(seconds), str(path.absolute())]
    if trusted_keys:
        command.append(str(trusted_keys.absolute()))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ended = subprocess.run(  # noqa: S603  this very program
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == 0:
        return
    if ended.returncode == _REFUSED:
        raise BundleError(ended.stdout.strip())
    if ended.returncode in (-signal.SIGPROF, -signal.SIGALRM):
        raise BundleError(f"{path}: it cannot be loaded within {seconds} s of processor time")
    said = ended.stderr.strip().splitlines()[-1:] or [f"status {ended.returncode}"]
    raise BundleError(f"{path}: it cannot be loaded: its trial ended with {said[0]}")


def main(seconds: str, folder: str, keys: str | None = None) -> int:
    """Gives the exit status."""
    # nobody need be left to end this process
    signal.setitimer(signal.ITIMER_PROF, int(seconds))
    signal.alarm(10 * int(seconds))
    with suppress(OSError):  # it is the first to go if memory is short (Linux only)
        Path("/proc/self/oom_score_adj").write_text("1000")
    from service import tasks

    try:
        tasks.load(Path(folder), Path(keys) if keys else None)
    except BundleError as error:
        print(error.detail)
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
