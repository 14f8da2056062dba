"""Settings of a Django project that has django-hordak and nothing else."""

import os

SECRET_KEY = "the bench keeps no secret"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "djmoney",
    "mptt",
    "hordak",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "bench_hordak",
        "USER": "portal",
        "HOST": os.environ.get("BENCH_HORDAK_HOST", ""),
        "CONN_MAX_AGE": 600,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
DEFAULT_CURRENCY = "CNY"
CURRENCIES = ["CNY"]
