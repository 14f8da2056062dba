"""A page is called what the menu calls it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import resolve
from django.utils import translation

from config.sidebar import sidebar
from core.models import User

pytestmark = pytest.mark.django_db
# What Django and its parts bring is called by their own catalogues.
OTHERS = {"auth", "django_celery_beat", "mfa"}


def lists(rf: RequestFactory) -> list[tuple[str, Any]]:
    """Each entry of the menu that leads to a list, with the model that is listed."""
    request = rf.get("/admin/")
    request.user = User(is_active=True, is_staff=True, is_superuser=True)
    items = [item for group in sidebar(request) for item in group["items"]]
    models = {model._meta.label_lower.replace(".", "_"): model for model in admin.site._registry}
    found = []
    for item in items:
        name = (resolve(str(item["link"])).url_name or "").removesuffix("_changelist")
        if name in models and models[name]._meta.app_label not in OTHERS:
            found.append((str(item["title"]), models[name]))
    return found


def test_menu_and_page_have_one_name(rf: RequestFactory) -> None:
    with translation.override("zh-hans"):
        named = [(title, str(model._meta.verbose_name_plural)) for title, model in lists(rf)]
    assert len(named) > 15
    assert [pair for pair in named if pair[0] != pair[1]] == []
