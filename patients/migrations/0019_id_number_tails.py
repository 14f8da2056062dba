"""The ends of the ID numbers that are on record are indexed, a thousand people at a time.

Each step is committed by itself and locks no more than its people; run again, it goes on with who
is left.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations

CHUNK = 1000


def tails_fill(apps: Any, _editor: Any) -> None:
    patient = apps.get_model("patients", "Patient")
    tail = patient._meta.get_field("id_number_tail")
    rows = patient.objects.filter(id_number_tail=None).exclude(id_number_index="")
    rows = rows.only("pk", "id_number", "id_number_tail").order_by("pk")
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        last = chunk[-1].pk
        for row in chunk:
            row.id_number_tail = tail.index_of(row.id_number)
        found = [row for row in chunk if row.id_number_tail]
        patient.objects.bulk_update(found, ["id_number_tail"])


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("patients", "0018_id_number_tail")]

    operations: ClassVar = [migrations.RunPython(tails_fill, migrations.RunPython.noop)]
