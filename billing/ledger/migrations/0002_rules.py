"""The ledger's rules as triggers and constraints; the SQL lies beside this file."""

from pathlib import Path

from django.db import migrations

HERE = Path(__file__).parent


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_tables")]

    operations = [
        migrations.RunSQL(
            (HERE / "0002_rules.sql").read_text(encoding="utf8"),
            (HERE / "0002_rules_reverse.sql").read_text(encoding="utf8"),
        )
    ]
