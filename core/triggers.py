"""Database triggers that models declare beside themselves."""

from __future__ import annotations

import pgtrigger
from django.apps import apps
from django.db import models
from pgtrigger import compiler


class KeptSql(compiler.UpsertTriggerSql):
    """A trigger without the library's way round it.

    The library's own functions ask the session setting `pgtrigger.ignore` first, which any role may
    set. Migrations name this class: a change of the text needs another class.
    """

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION public.{pgid}() RETURNS TRIGGER AS $$
                BEGIN
                    {func}
                END;
            $$ LANGUAGE plpgsql;

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE TRIGGER {pgid} {when} {operation} ON {table}
                FOR EACH {level} EXECUTE FUNCTION public.{pgid}();

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class AppendOnly(pgtrigger.Trigger):
    """Rows may be added, never changed or removed, not even by SQL.

    It fires once per statement, so inserting, the hot path, pays nothing for it; a statement that
    would touch no row is refused as well.
    """

    level = pgtrigger.Statement
    when = pgtrigger.Before
    operation = pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate
    func = (
        "RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP"
        " USING ERRCODE = 'restrict_violation';"
    )

    def compile(self, model: models.Model) -> compiler.Trigger:
        return compiler.Trigger(
            name=self.name,
            sql=KeptSql(
                pgid=self.get_pgid(model),
                func=self.render_func(model),
                table=model._meta.db_table,
                when=self.when,
                operation=self.operation,
                level=self.level,
            ),
        )


def append_only(name: str) -> AppendOnly:
    return AppendOnly(name=name)


def append_only_tables() -> list[str]:
    """The tables whose models say that their rows stay as they were written."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if any(isinstance(trigger, AppendOnly) for trigger in _triggers(model))
    )


def _triggers(model: type[models.Model]) -> list[pgtrigger.Trigger]:
    return list(getattr(model._meta, "triggers", ()))
