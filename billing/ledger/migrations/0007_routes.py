"""A loss may be taken back, and recourse given up: two more rows of the posting table."""

from pathlib import Path

from django.db import migrations

HERE = Path(__file__).parent
END = "$$;"


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf8")


def _before() -> str:
    """The table as 0006 wrote it, the first thing in its text."""
    table = _text("0006_routes.sql").partition(END)[0] + END
    return table.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_routes")]

    operations = [migrations.RunSQL(_text("0007_routes.sql"), _before())]
