"""What holds for every compatibility API."""

from pathlib import Path

import pytest

from ..conftest import serving
from ..helpers import compat_error


@pytest.mark.parametrize(
    "path",
    ["/compat/libretranslate/translate", "/compat/libretranslate/detect", "/v2/models/ner/infer"],
)
def test_limits_hold_for_every_compatibility_api(tiny_models: Path, path: str) -> None:
    with serving(tiny_models, max_body_bytes=900, max_characters=100) as client:
        large = client.post(path, json={"q": "a" * 1000})
        assert "over 900 bytes" in compat_error(large, 413)
        assert large.headers["connection"] == "close"
        tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a" * 200]}
        query = {"q": "a" * 200, "source": "fr", "target": "en", "inputs": [tensor]}
        if not path.endswith("detect"):  # which reads no more than a part
            assert "at most 100" in compat_error(client.post(path, json=query), 413)
            headers = {"X-Request-Timeout-Ms": "never"}
            refused = client.post(path, json={**query, "q": "a"}, headers=headers)
            assert "X-Request-Timeout-Ms" in compat_error(refused, 400)
