"""The top of the house: settings, urls, celery, the schedule. An installed app without models."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
