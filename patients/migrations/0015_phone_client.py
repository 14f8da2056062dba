"""Which HIS client told the phone on record; empty for what was written before."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0014_phone_used")]

    operations = [
        migrations.AddField(
            model_name="patient",
            name="phone_client",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="patients.hisclient",
            ),
        ),
    ]
