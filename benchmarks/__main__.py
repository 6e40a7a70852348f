"""`python -m benchmarks`: measures what the README claims, against other servers, and writes `benchmarks/results`.

Ends with status 1 if a floor is missed. `--render` measures nothing: it writes the tables of README.md and
benchmarks/README.md from the results that are kept.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import report
from benchmarks.measures import MEASURES
from benchmarks.rows import QUICK, Plan, Row

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a trial run: figures mean nothing")
    parser.add_argument("--only", nargs="*", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the results")
    parser.add_argument("--render", action="store_true", help="only write the tables anew")
    options = parser.parse_args()
    if options.render:
        render()
        return 0
    plan = QUICK if options.quick else Plan()
    about = report.circumstances(plan, _commit())
    rows: list[Row] = []
    for name in options.only:
        began, own = time.monotonic(), []
        for row in MEASURES[name](plan):
            own.append(row)
            print(f"{row.measure}: {row.value:.3g} {row.unit}", file=sys.stderr, flush=True)
        report.save(options.out, name, own, about)
        if any(row.points for row in own):
            report.picture(options.out / "latency.png", own)
        print(f"[{name}: {time.monotonic() - began:.0f} s]", file=sys.stderr, flush=True)
        rows += own
    if options.out == RESULTS:
        render()
    print(report.table(rows))
    return 1 if any(row.met is False for row in rows) and not options.quick else 0


def render() -> None:
    """Write the tables of the two pages that have one from the results that are kept."""
    rows = report.kept(RESULTS, list(MEASURES))
    report.put(ROOT / "README.md", report.summary(rows))
    report.put(ROOT / "benchmarks" / "README.md", report.table(rows))


def _commit() -> str:
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
