"""Files that are fetched a moment after they were made, perhaps from another worker than the one that made them.

They lie in memory that the workers share, where there is such a place, for ten minutes. Whoever has the address of
one may fetch it: it is a secret of 128 bits.
"""

import re
import secrets
import shutil
import time
from pathlib import Path

from service.errors import NotFound, Unavailable

KEPT_SECONDS = 600
MAX_BYTES = 32 * 1024 * 1024
"""Of all files together."""

_NAME = re.compile(r"[0-9a-f]{32}\.[a-z]{2,8}")


class Downloads:
    """To be made before the workers are forked, and closed when they have ended."""

    def __init__(self, memory: Path) -> None:
        """memory: the folder for its own."""
        self._folder = memory / f"textloom-{secrets.token_hex(16)}"

    def put(self, content: bytes, ending: str) -> str:
        """Keep a file; gives its name. ending: of the name, such as `.txt`. Raises Unavailable."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._remove_old()
        held = sum(_size(path) for path in self._folder.iterdir())
        if held + len(content) > MAX_BYTES:
            raise Unavailable("too many files wait to be fetched", retry_after=60)
        name = secrets.token_hex(16) + ending
        part = self._folder / f"{name}.part"
        part.write_bytes(content)
        part.rename(self._folder / name)
        return name

    def get(self, name: str) -> bytes:
        """Raises NotFound if it was never there or is no longer."""
        self._remove_old()
        try:
            if _NAME.fullmatch(name):
                return (self._folder / name).read_bytes()
        except FileNotFoundError:
            pass
        raise NotFound(f"there is no such file; one is kept for {KEPT_SECONDS // 60} minutes")

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _remove_old(self) -> None:
        if not self._folder.exists():
            return
        oldest = time.time() - KEPT_SECONDS
        for path in self._folder.iterdir():
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except FileNotFoundError:  # another worker was faster
                pass


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
