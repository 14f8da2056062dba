"""Only entries of the posting table, by names no temporary table can take; the SQL lies beside."""

from pathlib import Path

from django.db import migrations

HERE = Path(__file__).parent
NEW = "0006_routes.sql"
BEFORE = ("0002_rules_reverse.sql", "0002_rules.sql", "0004_routes.sql")


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf8")


def _before() -> str:
    """The rules as 0004 left them, made anew."""
    drop = (
        "DROP FUNCTION public.ledger_debts_hold(bigint, bigint, boolean);"
        "DROP FUNCTION public.ledger_routes();"
    )
    return "\n".join((drop, *map(_text, BEFORE)))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_kept")]

    operations = [migrations.RunSQL(_text(NEW), _before())]
