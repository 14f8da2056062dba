"""The ways money of a bill may take, closed against chains of entries; the SQL lies beside."""

from pathlib import Path

from django.db import migrations

HERE = Path(__file__).parent
NAME = "FUNCTION ledger_postings_hold()"


def _before() -> str:
    """The rule trigger as 0002 made it."""
    text = (HERE / "0002_rules.sql").read_text(encoding="utf8")
    start = text.index(f"CREATE {NAME}")
    old = text[start : text.index("CREATE TRIGGER ledger_postings_hold")]
    replaced = old.replace(f"CREATE {NAME}", f"CREATE OR REPLACE {NAME}")
    return f"{replaced}\nDROP FUNCTION ledger_debts_hold(bigint, bigint, boolean);"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_words")]

    operations = [
        migrations.RunSQL((HERE / "0004_routes.sql").read_text(encoding="utf8"), _before())
    ]
