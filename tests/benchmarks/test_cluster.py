"""The benchmark of a Ray cluster: it compares answers, and prints all arrangements."""

import pytest

pytest.importorskip("ray", reason="NOT CHECKED: benchmarks.cluster; `make test-slow` brings Ray")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those of Ray are not ours
def test_nodes_are_compared_with_processes(capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks import cluster

    found = cluster.main(["--texts", "200"])
    assert [len(times) for times in found.values()] == [2, 2, 2, 2]
    printed = capsys.readouterr().out
    assert all(f"| {name} |" in printed for name in found)
