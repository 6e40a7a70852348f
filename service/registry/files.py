"""Reads files of a repository, of which another may have made anything. Leaves out what is in them."""

import errno
import os
import stat
from pathlib import Path


def contents(path: Path, most: int) -> bytes:
    """Of a file, which may have `most` bytes.

    Raises OSError if it has more, or is no file but a named pipe, for one, which would keep its reader waiting.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most} bytes")
    return content
