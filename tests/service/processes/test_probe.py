"""The probe: a change is told, and a disk that hangs holds up nobody."""

import time

import pytest

from service.processes.probe import Probe

from ..helpers import until


def ended(probe: Probe) -> bool:
    """Waits until a look has ended; whether it found a change."""
    found: list[bool] = []

    def over() -> bool:
        found.append(probe.poll())
        return not probe._pid

    until(over)
    return found[-1]


@pytest.mark.parametrize("changed", [True, False])
def test_it_tells_a_change(changed: bool) -> None:
    probe = Probe(lambda: changed, seconds=120)
    for _ in range(2):
        probe.start()
        assert ended(probe) is changed


def test_a_look_that_fails_is_no_change() -> None:
    def fail() -> bool:
        raise OSError

    probe = Probe(fail, seconds=120)
    probe.start()
    assert ended(probe) is False


def test_a_look_that_takes_too_long_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    def hang() -> bool:
        time.sleep(600)
        return True

    probe = Probe(hang, seconds=0.2)
    began = time.monotonic()
    probe.start()
    probe.start()  # not a second one
    assert ended(probe) is False
    assert time.monotonic() - began < 300
    assert "cannot be read within 0.2 s" in caplog.text
