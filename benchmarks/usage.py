"""What processes use, as /proc has it (Linux only)."""

import os
from pathlib import Path

MB = 2**20


def memory(pids: list[int]) -> float:
    """Megabytes of all together: each page that they share counts once."""
    return sum(_field(pid, "smaps_rollup", "Pss:") for pid in pids) / 1024


def descriptors(pids: list[int]) -> int:
    """Open ones of all together."""
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)  # noqa: PTH208  only their number


def processor_seconds(pids: list[int]) -> float:
    """Of all together, since each began."""
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _field(pid: int, file: str, name: str) -> int:
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
