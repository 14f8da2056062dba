from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """When a phone last opened its account, since numbers are given to other people."""

    dependencies: ClassVar = [("patients", "0013_consent_own")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="userphone",
            name="used_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="userphone",
            name="doubts",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="phonecode",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("sign_in", "sign in"),
                    ("change", "change the phone"),
                    ("leave", "leave the phone"),
                ],
                max_length=12,
            ),
        ),
    ]
