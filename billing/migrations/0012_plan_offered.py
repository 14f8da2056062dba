from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0011_one_open_review"),
    ]

    operations = [
        migrations.AddField(
            model_name="agreementplan",
            name="offered",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="false: not among what patients choose from",
            ),
        ),
    ]
