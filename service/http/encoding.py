"""Compressed bodies: what a `Content-Encoding` stands for, within the limit on what comes out.

Leaves out answers, which are never compressed: they are short, and a proxy can do it.
"""

import zlib

from service.errors import BadRequest, TooLarge, UnsupportedEncoding
from service.http.messages import Headers

_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32


def content_encoding(headers: Headers) -> str:
    """`gzip` or `deflate`; empty for a body that comes as it is. Raises UnsupportedEncoding."""
    given = headers.get(b"content-encoding", b"").strip().lower()
    if given in (b"", b"identity"):
        return ""
    if given not in (b"gzip", b"x-gzip", b"deflate"):
        raise UnsupportedEncoding("a body may be compressed as gzip or deflate, or not at all")
    return "deflate" if given == b"deflate" else "gzip"


def decoded(body: bytes, limit: int) -> bytes:
    """What a compressed body holds. Raises TooLarge if that is over `limit` bytes, BadRequest."""
    parts, size = [], 0
    try:
        while body:  # gzip allows several streams, one after the other
            stream = zlib.decompressobj(_ZLIB_OR_GZIP)
            parts.append(stream.decompress(body, limit + 1 - size))
            size += len(parts[-1])
            if size > limit:
                raise TooLarge(f"the body holds more than {limit} bytes; send it in parts")
            if not stream.eof:
                raise BadRequest("the body ends before what is compressed in it does")
            body = stream.unused_data
    except zlib.error:
        raise BadRequest("the body is not compressed as its Content-Encoding says") from None
    return b"".join(parts)
