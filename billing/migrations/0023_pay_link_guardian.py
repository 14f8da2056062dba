"""The guardian a pay link went to: once another's word counts, it shows no charges."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("billing", "0022_agreement_reviews"),
        ("patients", "0020_pay_by_guardian"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="paylink",
            name="guardian",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="patients.patient",
            ),
        ),
    ]
