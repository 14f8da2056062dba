from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Everybody agrees for themselves; the column of another person was never filled."""

    dependencies: ClassVar = [("patients", "0012_birth_dates")]

    operations: ClassVar = [
        migrations.RemoveConstraint(model_name="consent", name="consent_stands_once"),
        migrations.RemoveField(model_name="consent", name="patient"),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)),
                fields=("user", "purpose", "text_version"),
                name="consent_stands_once",
            ),
        ),
    ]
