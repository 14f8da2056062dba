"""The hashed locks: `write` makes them, `check` says whether they still fit pyproject.toml.

pip-compile reads no dependency groups (PEP 735), so they are resolved here; the fingerprint of what
went in is the lock's first line, so that "is it up to date" needs no network.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "dev": ROOT / "requirements.lock",
    # What a hospital installs: the dependencies of the project alone, in the versions tested here.
    "production": ROOT / "requirements-production.lock",
    "bench": ROOT / "requirements-bench.lock",
}
OPTIONS = [
    "--quiet",
    "--generate-hashes",
    "--allow-unsafe",
    "--strip-extras",
    "--no-header",
    "--no-emit-options",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-trusted-host",
]
MARK = "# made from pyproject.toml, fingerprint "
# What names a place or a machine has no business in a lock.
FOREIGN = re.compile(r"^\s*(--(?!hash=)|-[a-z]\b|\S+ @ )|https?://|file://", re.MULTILINE)


def inputs(group: str) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))

    def resolved(name: str) -> list[str]:
        found: list[str] = []
        for entry in project["dependency-groups"][name]:
            found += [entry] if isinstance(entry, str) else resolved(entry["include-group"])
        return found

    added = [] if group == "production" else resolved(group)
    return sorted({*project["project"]["dependencies"], *added})


def fingerprint(group: str) -> str:
    return hashlib.sha256("\n".join(inputs(group)).encode()).hexdigest()[:16]


def write(group: str) -> None:
    """Pin the group, every file with its hashes, and leave out where they came from."""
    lock = LOCKS[group]
    command = [sys.executable, "-m", "piptools", "compile", *OPTIONS]
    if group == "production":
        command += ["--constraint", LOCKS["dev"].name]
    command += ["--output-file", str(lock), "-"]
    subprocess.run(command, input="\n".join(inputs(group)), text=True, check=True, cwd=ROOT)
    lines = [line for line in lock.read_text().splitlines() if not line.startswith(MARK)]
    lock.write_text("\n".join([MARK + fingerprint(group), *lines]) + "\n")


def faults() -> list[str]:
    found = []
    for group, lock in LOCKS.items():
        text = lock.read_text() if lock.exists() else ""
        if not text.startswith(MARK + fingerprint(group) + "\n"):
            found.append(f"{lock.name} is older than pyproject.toml: run `make lock`")
        if "--hash=sha256:" not in text or FOREIGN.search(text):
            found.append(f"{lock.name} lacks hashes or names a place: run `make lock`")
    return found


def main(arguments: list[str]) -> int:
    match arguments:
        case ["write"]:
            for group in LOCKS:
                write(group)
        case ["check"]:
            found = faults()
            print("\n".join(found), end="\n" if found else "", file=sys.stderr)
            return 1 if found else 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
