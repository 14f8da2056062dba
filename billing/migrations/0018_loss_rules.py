"""What a step of a fund loss may be, whoever writes it; the SQL lies beside."""

from pathlib import Path

from django.db import migrations

HERE = Path(__file__).parent


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf8")


class Migration(migrations.Migration):
    dependencies = [("billing", "0017_losses"), ("ledger", "0007_routes")]

    operations = [
        migrations.RunSQL(_text("0018_loss_rules.sql"), _text("0018_loss_rules_reverse.sql"))
    ]
