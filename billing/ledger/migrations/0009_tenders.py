"""The families of tenders are one list, which every rule asks; the rules lie beside."""

from pathlib import Path

from django.db import migrations

HERE = Path(__file__).parent
FUNCTION_END = "END $$;"
BILL = "CREATE FUNCTION public.ledger_bill_holds"
LEGS = "CREATE OR REPLACE FUNCTION public.ledger_postings_hold"


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf8")


def _before() -> str:
    """The two rules as 0008 wrote them."""
    drop = (
        "DROP FUNCTION public.ledger_tenders();"
        "DROP FUNCTION public.ledger_fund_company();"
    )
    text = _text("0008_ways.sql")
    rules = (head + text.partition(head)[2].partition(FUNCTION_END)[0] for head in (BILL, LEGS))
    made = "".join(f"{rule}{FUNCTION_END}\n" for rule in rules)
    return made.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION") + drop


class Migration(migrations.Migration):
    dependencies = [("ledger", "0008_ways")]

    operations = [migrations.RunSQL(_text("0009_tenders.sql"), _before())]
