"""A wish remembers which phone on record its code went to."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("patients", "0008_end_binding")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="binding",
            name="sent_to",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
