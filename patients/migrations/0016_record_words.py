"""Which HIS client told the facts of a person, and a name told that waits for a decision."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0015_phone_client")]

    operations = [
        migrations.AddField(
            model_name="patient",
            name="facts_client",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="patients.hisclient",
            ),
        ),
        migrations.AddField(
            model_name="patientreview",
            name="told_name",
            field=models.CharField(
                blank=True, default="", max_length=100, verbose_name="name told"
            ),
        ),
    ]
