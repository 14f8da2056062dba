"""Tell people what to open, and machines where (`var/demo.json`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from rich.console import Console
from rich.table import Table

from config.demo.hospital import Login


def demo_file() -> Path:
    return settings.VAR_DIR / "demo.json"


def demo_write(his_token: str, logins: list[Login], patients: list[dict[str, Any]]) -> None:
    """Written last, when everything answers, and in one move."""
    staff = [
        {
            "username": x.username,
            "password": x.password,
            "role": x.role,
            "totp_secret": x.totp_secret,
        }
        for x in logins
        if x.role != "admin"
    ]
    admin = next(x for x in logins if x.role == "admin")
    data = {
        "portal_url": settings.PORTAL_URL,
        "sandbox_url": settings.SANDBOX_URL,
        "his_token": his_token,
        "admin": {
            "username": admin.username,
            "password": admin.password,
            "totp_secret": admin.totp_secret,
        },
        "staff": staff,
        "patients": patients,
    }
    draft = demo_file().with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf8")
    draft.replace(demo_file())


def demo_print(
    logins: list[Login], patients: list[dict[str, Any]], tags: list[tuple[str, str]]
) -> None:
    """For people, on stderr: stdout stays for machines."""
    console = Console(stderr=True)
    places = Table(title="The demo hospital is open", show_header=False, box=None)
    for what, path in (
        ("Admin for cashiers and clerks", f"{settings.PORTAL_URL}/admin/"),
        ("The patients' own pages (the code arrives on their phone)", f"{settings.PORTAL_URL}/"),
        ("API of the HIS", f"{settings.PORTAL_URL}/api/schema/"),
        ("Console of the HIS (register a visit, collect)", f"{settings.SANDBOX_URL}/his/"),
        ("A payer's phone (wallet, messages)", f"{settings.SANDBOX_URL}/phone/"),
        ("Faults and the other side's books", f"{settings.SANDBOX_URL}/_panel/"),
    ):
        places.add_row(what, path)
    console.print(places)
    staff = Table(title="Log in as", caption="The login page shows their codes.", box=None)
    staff.add_column("user")
    staff.add_column("password")
    for login in logins:
        staff.add_row(login.username, login.password)
    console.print(staff)
    people = Table(title="Patients", box=None)
    for head in ("number", "name", "pays by"):
        people.add_column(head)
    for patient in patients:
        way = ", ".join(patient["agreements"]) or "pay link"
        if patient.get("low_limit"):
            way += ", low limit or little money: some bills fall to the pay link"
        people.add_row(patient["mrn"], patient["name"], way)
    console.print(people)
    touched = Table(
        title="Tags of places",
        caption="Open one in a browser as if a phone had touched it. Signed in as a patient, the\n"
        "visit code opens at once, otherwise after the sign-in; read it with any scanner into the\n"
        "search box of the desk. To print sheets: Tags in the admin; to write chips: manage.py\n"
        "nfc_payload --out DIR",
        caption_justify="left",
        show_header=False,
        box=None,
    )
    for name, address in tags:
        touched.add_row(name, address)
    console.print(touched)
    console.print(f"Tokens, passwords and people for programs: {demo_file()}", soft_wrap=True)
    console.print("Ctrl-C stops everything. The data stays in var/.")
