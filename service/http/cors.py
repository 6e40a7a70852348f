"""Cross-origin requests: which pages of other origins may call the service from a browser.

A browser asks first (a preflight), without a key, and hides an answer that does not name its page's origin. Leaves
out cookies and other credentials that a browser adds by itself: a page sends its key as a header.
"""

from collections.abc import Collection

from service.http.messages import Fields, HttpRequest, HttpResponse

_METHODS = b"GET, HEAD, POST"
_HEADERS = b"*, authorization"
"""Any header; `*` alone does not include that one."""
_EXPOSED = b"X-Request-ID, Server-Timing, Retry-After, RateLimit, RateLimit-Policy"
_MAX_AGE = b"86400"
"""Seconds for which a browser remembers the answer to a preflight; it caps them itself."""


class Cors:
    def __init__(self, origins: Collection[str]) -> None:
        """origins: such as `https://app.example`, or `*` for all."""
        self._every = "*" in origins
        self._origins = {origin.encode() for origin in origins}

    def headers(self, request: HttpRequest) -> Fields:
        """What an answer needs so that the page that asked may read it."""
        if self._every:
            return [(b"access-control-allow-origin", b"*"), _EXPOSE]
        vary = (b"vary", b"Origin")  # a cache must not give one page the answer to another
        origin = request.headers.get(b"origin")
        if origin not in self._origins:
            return [vary]
        return [(b"access-control-allow-origin", origin), _EXPOSE, vary]

    @staticmethod
    def preflight(request: HttpRequest) -> HttpResponse | None:
        """The answer to a browser that asks what it may send; None for any other request."""
        if request.method != "OPTIONS" or b"origin" not in request.headers:
            return None
        allowed = [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _HEADERS),
            (b"access-control-max-age", _MAX_AGE),
        ]
        return HttpResponse(200, allowed, b"")


_EXPOSE = (b"access-control-expose-headers", _EXPOSED)
