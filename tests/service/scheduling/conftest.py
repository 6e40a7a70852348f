"""What the tests of batches of many steps share."""

import pytest


@pytest.fixture
def each_step_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.scheduling.batcher.SLICE_SECONDS", 0.0)
