"""The date of birth that only a resident's number carries is written into its own column."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

CHUNK = 1000


def births_fill(apps: Any, _editor: Any) -> None:
    people = apps.get_model("patients", "Patient").objects
    rows = people.filter(birth_date=None, id_type__in=("id_card", "household"))
    rows = rows.exclude(id_number_index="").only("pk", "id_number").order_by("pk")
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        last = chunk[-1].pk
        for row in chunk:
            try:
                row.birth_date = ric.get_birth_date(row.id_number)
            except ValidationError:
                continue
        people.bulk_update([row for row in chunk if row.birth_date], ["birth_date"])


class Migration(migrations.Migration):
    dependencies: ClassVar = [("patients", "0011_binding_expiry")]

    operations: ClassVar = [migrations.RunPython(births_fill, migrations.RunPython.noop)]
