"""What the HIS reads about its portal: the addresses, the token and the demo patients.

`var/demo.json` is written by the demo when everything answers and removed when it stops, so it is
read at every use; `SANDBOX_DEMO_FILE` names another place.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_FILE = Path(__file__).resolve().parents[2] / "var" / "demo.json"


class NoHospital(Exception):
    """There is no demo to talk to; the text says what to do about it."""


@dataclass(frozen=True)
class DemoPatient:
    mrn: str
    card_no: str
    name: str
    phone: str
    insured: bool
    agreements: tuple[str, ...]
    low_limit: bool


@dataclass(frozen=True)
class Hospital:
    portal_url: str
    his_token: str
    patients: tuple[DemoPatient, ...]

    def patient(self, mrn: str) -> DemoPatient | None:
        return next((one for one in self.patients if one.mrn == mrn), None)


def hospital_read() -> Hospital:
    path = Path(os.environ.get("SANDBOX_DEMO_FILE") or DEFAULT_FILE)
    try:
        data = json.loads(path.read_text(encoding="utf8"))
        return Hospital(
            portal_url=str(data["portal_url"]).rstrip("/"),
            his_token=str(data["his_token"]),
            patients=tuple(_patient(row) for row in data.get("patients", [])),
        )
    except OSError as error:
        raise NoHospital(f"没有找到演示数据 {path.name}。请先用 make demo 启动演示。") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoHospital(f"演示数据 {path.name} 读不懂：{error!r}。请重新启动演示。") from error


def _patient(row: dict[str, Any]) -> DemoPatient:
    return DemoPatient(
        mrn=str(row["mrn"]),
        card_no=str(row.get("card_no", "")),
        name=str(row.get("name", "")),
        phone=str(row.get("phone", "")),
        insured=bool(row.get("insured", False)),
        agreements=tuple(row.get("agreements", ())),
        low_limit=bool(row.get("low_limit", False)),
    )
