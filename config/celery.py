"""Celery carries hints, never truth: the row decides, a sweeper finds what a lost task left."""

import os

from celery import Celery

from config.production import CheckedWorker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(CheckedWorker)
