from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from core.actors import Actor
from core.crypto.keys import provider
from tests.core.shapes import SHAPES, Box


@pytest.fixture(scope="session")
def _shape_tables(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """The stand-in tables, outside every test's transaction."""
    with django_db_blocker.unblock():
        existing = connection.introspection.table_names()
        with connection.schema_editor() as editor:
            for model in SHAPES:
                if model._meta.db_table in existing:
                    editor.delete_model(model)
                editor.create_model(model)
    yield


@pytest.fixture
def shapes(_shape_tables: None, db: None) -> None:
    """Tables of `tests.core.shapes`, rolled back with the test."""


@pytest.fixture
def committed_shapes(_shape_tables: None, transactional_db: None) -> Iterator[None]:
    """The same with real commits, emptied afterwards."""
    yield
    tables = ", ".join(f'"{model._meta.db_table}"' for model in SHAPES)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables}")


@pytest.fixture
def clerk() -> Actor:
    return Actor("staff", "wang", "王芳")


@pytest.fixture
def box() -> Callable[..., Box]:
    return Box.objects.create


@pytest.fixture
def fresh_keys() -> Iterator[None]:
    """Key settings are read once; a test that changes them reads them again."""
    provider.cache_clear()
    yield
    provider.cache_clear()
