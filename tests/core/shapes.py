"""Small models that stand in for the apps' rows; their tables live as long as the test database."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from core.crypto import BlindIndexField, EncryptedField
from core.review import ReviewCase


class Box(models.Model):
    """Something with states, one of each kind of column a transition writes."""

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        "OPEN": frozenset({"SENT", "LOST"}),
        "SENT": frozenset({"DONE"}),
        "LOST": frozenset(),
    }

    status = models.CharField(max_length=8, default="OPEN")
    amount_fen = models.BigIntegerField(default=0)
    note = models.CharField(max_length=50, blank=True, db_column="note text")
    data = models.JSONField(default=dict)
    done_at = models.DateTimeField(null=True)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT)
    secret = EncryptedField(blank=True, default="")
    number = models.CharField(max_length=20, null=True, unique=True)

    class Meta:
        app_label = "core_shapes"


class Person(models.Model):
    """Someone with personal data at rest."""

    id_number = EncryptedField(blank=True, default="")
    id_index = BlindIndexField(source="id_number", purpose="id_number", db_index=True)
    phone = EncryptedField(blank=True, default="")

    class Meta:
        app_label = "core_shapes"


class Question(ReviewCase):
    """A review of nothing in particular."""

    class Meta(ReviewCase.Meta):
        app_label = "core_shapes"


SHAPES = (Box, Person, Question)
