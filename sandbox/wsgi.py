"""The sandbox as a WSGI application; `sandbox.world.server` is what serves it."""

import os

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
application: WSGIHandler = get_wsgi_application()
