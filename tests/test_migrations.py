"""The schema can be made from nothing, unmade, and made again; and it is what the models say."""

from __future__ import annotations

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder


@pytest.mark.django_db
def test_models_have_no_unwritten_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_schema_goes_to_zero_and_back() -> None:
    """In a database of its own, so that the suite's keeps its tables."""
    # given what came of applying everything to an empty database
    name = f"{connection.settings_dict['NAME']}_zero"
    wanted = {"user", "password", "host", "port"}
    given = connection.get_connection_params()
    address = {"dbname": "postgres"} | {k: v for k, v in given.items() if k in wanted}
    with psycopg.connect(**address, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
        made = connection.settings_dict["TEST"]["TEMPLATE"]
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{made}"')
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        # when everything is taken back and applied again
        applied = set(MigrationRecorder(connection).applied_migrations())
        assert applied
        # From below: each takes along all that stands on it, in one plan.
        for label in ("patients", "insurance", "ledger", "billing", "credit", "refunds"):
            if MigrationExecutor(connection).loader.migrated_apps & {label}:
                call_command("migrate", label, "zero", verbosity=0)
        with connection.cursor() as cursor:
            tables = connection.introspection.table_names(cursor)
        assert [table for table in tables if table.startswith("billing_")] == []
        call_command("migrate", verbosity=0)
        # then the same migrations stand
        assert set(MigrationRecorder(connection).applied_migrations()) == applied
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
        with psycopg.connect(**address, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
