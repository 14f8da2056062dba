"""A column to find a person by the last six of the ID number; 0019 fills it."""

from typing import ClassVar

from django.db import migrations

import core.crypto


class Migration(migrations.Migration):
    dependencies: ClassVar = [("patients", "0017_guardians_see_by_being_it")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="patient",
            name="id_number_tail",
            field=core.crypto.BlindIndexField(
                db_index=True,
                editable=False,
                max_length=64,
                null=True,
                purpose="patient id number tail",
                source="id_number",
                tail=6,
            ),
        ),
    ]
