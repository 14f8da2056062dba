"""A settlement is not taken back while its loss is borne; the SQL lies beside."""

from pathlib import Path

from django.db import migrations

HERE = Path(__file__).parent


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf8")


class Migration(migrations.Migration):
    dependencies = [("billing", "0018_loss_rules"), ("insurance", "0011_phone_payer")]

    operations = [
        migrations.RunSQL(
            _text("0019_lost_settlements.sql"), _text("0019_lost_settlements_reverse.sql")
        )
    ]
