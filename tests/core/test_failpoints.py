from __future__ import annotations

import os
import signal
import subprocess
import sys
import timeit

import pytest

from core import failpoints
from core.failpoints import armed_variables, failpoint

CODE = """
import sys
from core.failpoints import failpoint
for number in range(1, 6):
    print(number, flush=True)
    failpoint("apply")
    failpoint("notify")
"""


def run(**environment: str) -> tuple[int, list[str]]:
    """Five passes of two points in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FAILPOINT")}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.split()


@pytest.mark.parametrize(
    "_case",
    [
        ("apply:3", ["1", "2", "3"]),
        ("apply", ["1"]),
        ("notify:2,apply:4", ["1", "2"]),
        ("other:1, notify:5", ["1", "2", "3", "4", "5"]),
    ],
)
def test_armed_point_kills_at_its_pass(_case):
    armed, passes = _case
    assert run(FAILPOINT=armed) == (-signal.SIGKILL, passes)


def test_unarmed_and_production_live():
    everything = ["1", "2", "3", "4", "5"]
    assert run() == (0, everything)
    assert run(FAILPOINT="other:1") == (0, everything)
    assert run(FAILPOINT="apply:1", PORTAL_ENV="production") == (0, everything)


def test_file_arms_once(tmp_path):
    path = tmp_path / "armed"
    environment = {"FAILPOINT_FILE": str(path)}
    assert run(**environment)[0] == 0
    path.write_text("notify:2")
    assert run(**environment) == (-signal.SIGKILL, ["1", "2"])
    # the process took the file with it, so its successor lives
    assert not path.exists()
    assert run(**environment)[0] == 0


def test_unarmed_point_costs_next_to_nothing():
    assert not failpoints._active
    assert timeit.timeit(lambda: failpoint("apply"), number=100_000) < 0.1


def test_variables_are_seen_by_the_check(monkeypatch):
    assert armed_variables() == []
    monkeypatch.setenv("FAILPOINT_FILE", "x")
    assert armed_variables() == ["FAILPOINT_FILE"]
