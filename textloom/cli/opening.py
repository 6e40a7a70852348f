"""Opens what is to be read: files and standard input, unpacked (gzip, xz) and decoded, and refused if no text.

Leaves out what stands in them (rows.py, documents/).
"""

import codecs
import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from textloom.cli.encodings import encoding_of
from textloom.cli.errors import Stop

SAMPLE = 1 << 18
"""Bytes from which encoding and delimiter are told."""

KINDS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".json": "json", ".parquet": "parquet", ".srt": "srt", ".vtt": "srt", ".html": "html", ".htm": "html",
    ".xhtml": "html", ".md": "md", ".markdown": "md", ".po": "po", ".pot": "po",
}  # fmt: skip
"""Formats by the ending of a name; every other file is lines of text."""
PACKED = (".gz", ".xz")

_NO_TEXT = {
    b"PK\x03\x04": "a zip archive, as files of Excel and Word are; save it as CSV, or as text",
    b"\xd0\xcf\x11\xe0": "a file of Excel or Word; save it as CSV, or as text",
    b"%PDF-": "a PDF; take the text out of it first",
    b"PAR1": "Parquet; end its name in .parquet, or add --input-format parquet",
    b"BZh": "packed with bzip2; unpack it first, or use gzip or xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd; unpack it first, or use gzip or xz",
    b"SQLite format 3": "an SQLite database",
}


@dataclass(frozen=True)
class Source:
    """A file, or standard input as `-`."""

    file: str
    kind: str = "text"
    encoding: str | None = None
    """None: told from its first bytes."""
    delimiter: str | None = None
    """Between the columns of a table; None: told from its first lines."""
    stream: Any = None
    """Its bytes, if somebody has opened it already, who will close it."""

    @property
    def name(self) -> str:
        return "standard input" if self.file == "-" else self.file

    @contextmanager
    def opened(self) -> Iterator[tuple[BinaryIO, bytes]]:
        """Its bytes, unpacked, and the first of them. Raises Stop if it is no text or cannot be read."""
        with _reported(self.name), _open(self.stream or self.file) as packed:
            stream = unpacked(packed)
            sample = stream.peek(SAMPLE)
            for start, what in _NO_TEXT.items():
                if sample.startswith(start):
                    raise Stop(f"{self.name} is {what}")
            yield stream, sample

    @contextmanager
    def text(self, newline: str | None = None) -> Iterator[tuple[TextIO, str]]:
        """Its text, and the first of it; what is no UTF-8 becomes surrogates. newline: as for `open`."""
        with self.opened() as (stream, sample):
            encoding = self.encoding or encoding_of(sample, self.name)
            if encoding == "cp1252" and not self.encoding:
                told = (
                    f"textloom: {self.name} is read as cp1252 (Windows); --encoding names another"
                )
                print(told, file=sys.stderr)
            errors = "surrogateescape" if encoding in ("utf-8", "utf-8-sig") else "strict"
            first = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
            with io.TextIOWrapper(stream, encoding, errors, newline) as text:
                yield text, first


def kind_of(file: str) -> str:
    """The format that the ending of a name says.

    >>> kind_of("a.CSV.gz"), kind_of("notes")
    ('csv', 'text')
    """
    return KINDS.get(ending(file), "text")


def ending(file: str) -> str:
    """The ending of a name in small letters, that of packed files aside."""
    path = Path(file)
    if path.suffix.lower() in PACKED:
        path = path.with_suffix("")
    return path.suffix.lower()


class _Borrowed(io.RawIOBase):
    """Bytes of a stream that stays open."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        got = self._stream.read(len(buffer))
        buffer[: len(got)] = got
        return len(got)


def unpacked(stream: io.BufferedReader) -> io.BufferedReader:
    head = stream.peek(6)[:6]
    if head.startswith(b"\x1f\x8b"):
        return io.BufferedReader(gzip.GzipFile(fileobj=stream), SAMPLE)
    if head.startswith(b"\xfd7zXZ\0"):
        return io.BufferedReader(lzma.LZMAFile(stream), SAMPLE)
    return stream


def _open(file: Any) -> io.BufferedReader:
    if not isinstance(file, str):
        return io.BufferedReader(_Borrowed(file), SAMPLE)
    # descriptor 0 is standard input, which stays open
    raw = io.FileIO(0, closefd=False) if file == "-" else io.FileIO(file)
    return io.BufferedReader(raw, SAMPLE)


@contextmanager
def _reported(name: str) -> Iterator[None]:
    """What goes wrong in reading, as a sentence."""
    try:
        yield
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, BrokenPipeError):  # of what is written meanwhile
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise Stop(f"{name}: {reason}") from error
    except UnicodeError as error:
        raise Stop(f"{name}: {error}; name its encoding with --encoding") from error
