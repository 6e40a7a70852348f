"""The benchmark of connection pools: it answers through both arrangements and prints them."""

import shutil

import pytest

from benchmarks import pools


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("wrk"), reason="there is no wrk here: apt install wrk")
def test_pools_are_compared_directly_and_through_nginx(capsys: pytest.CaptureFixture[str]) -> None:
    found = pools.main(["--seconds", "3", "--turns", "1"])
    assert len(found) == 4
    assert all(values[0] > 0 for values in found.values())
    printed = capsys.readouterr().out
    assert all(f"| {name} |" in printed for name in found)
