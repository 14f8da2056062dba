from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """What looks for wishes whose time is over finds them by an index."""

    dependencies: ClassVar = [("patients", "0010_notification_user")]

    operations: ClassVar = [
        migrations.AddIndex(
            model_name="binding",
            index=models.Index(
                condition=models.Q(("status", "WAITING")),
                fields=["expires_at"],
                name="binding_waits",
            ),
        ),
    ]
