"""Every door of the portal."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from billing.views import messages
from config import family, pages, portal, staff_login
from config.dev_clock import dev_clock
from config.health import healthz
from config.passkeys import passkeys

urlpatterns: list[URLPattern | URLResolver] = [
    path("", portal.home, name="home"),
    path("admin/login/", staff_login.StaffLogin.as_view(), name="staff_login"),
    path("admin/second-factor", staff_login.second_factor, name="staff_second_factor"),
    path("admin/passkeys", passkeys, name="staff_passkeys"),
    path("admin/", include("billing.desk.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("mode", pages.mode_set, name="mode_set"),
    path("help", portal.help_page, name="help"),
    path("settings", portal.settings_page, name="settings"),
    path("messages", messages.messages, name="messages"),
    path("family", family.family, name="family"),
    path("family/<int:access_id>/pays", family.family_pays, name="family_pays"),
    path("t/<str:code>", portal.tag, name="tag"),
    path("code", portal.card, name="card"),
    path("", include("insurance.urls")),
    path("", include("patients.urls")),
    path("", include("billing.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("api/v1/", include("billing.his.urls")),
]
handler404 = pages.not_found
handler403 = pages.not_allowed
handler400 = pages.not_readable
handler500 = pages.failed
if not settings.PRODUCTION:
    urlpatterns.append(path("_dev/clock", dev_clock, name="dev_clock"))
