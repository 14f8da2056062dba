"""WSGI entry of the portal; in production it does not load while a check fails."""

import os

from django.core.wsgi import get_wsgi_application

from config.production import production_check

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
production_check()
