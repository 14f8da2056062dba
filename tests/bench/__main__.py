"""`python -m tests.bench`: start the cluster, measure, print the table, write `var/bench.json`."""

from __future__ import annotations

import importlib
import os
import sys

from core.embedded.places import var_dir
from tests.bench.cluster import Cluster
from tests.bench.figures import FIGURES
from tests.bench.report import report_write


def main() -> int:
    wanted = os.environ.get("FIGURE", "")
    names = [wanted] if wanted else list(FIGURES)
    if unknown := [name for name in names if name not in FIGURES]:
        print(f"no figure {unknown[0]!r}; there are: {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    cases = []
    with Cluster(var_dir() / "bench") as cluster:
        cluster.portal_prepare()
        for name in names:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            cases += importlib.import_module(FIGURES[name]).measure(cluster)
    report_write(cases, var_dir() / "bench.json", keep=bool(wanted))
    return 0


if __name__ == "__main__":
    sys.exit(main())
