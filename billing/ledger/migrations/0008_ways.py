"""What came back had left, by refund and account; the table of routes stays as it is."""

from pathlib import Path

from django.db import migrations

HERE = Path(__file__).parent
TABLE_END = "$$;"


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf8")


def _before() -> str:
    """The rules as 0006 wrote them, all that follows its table."""
    drop = (
        "DROP FUNCTION public.ledger_refund_way_holds(bigint, bigint, bigint, bigint, numeric);"
        "DROP FUNCTION public.ledger_claims_hold(bigint, bigint);"
        "DROP FUNCTION public.ledger_bill_holds(bigint);"
        "DROP FUNCTION public.ledger_refund_ways();"
    )
    return drop + _text("0006_routes.sql").partition(TABLE_END)[2]


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_routes")]

    operations = [migrations.RunSQL(_text("0008_ways.sql"), _before())]
