"""A system of the hospital may be bound to its campuses; one without any is bound to none."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("patients", "0004_consents_and_phones")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="hisclient",
            name="campuses",
            field=models.ManyToManyField(
                blank=True,
                related_name="his_clients",
                to="patients.campus",
                verbose_name="campuses",
            ),
        ),
    ]
