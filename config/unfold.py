"""The admin theme in the portal's own colours: the desk is light, warm grey and celadon green."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def logo(request: HttpRequest) -> str:
    return static("logo.svg")


def tokens(request: HttpRequest) -> str:
    return static("tokens.css")


def desk(request: HttpRequest) -> str:
    return static("desk.css")


# The theme comes without Chinese; what it says on our pages is said by our own catalogue.
THEME_WORDS = (
    _("All applications"),
    _("Apply Filters"),
    _("Cancel"),
    _("Date from"),
    _("Date to"),
    _("Expand row"),
    _("False"),
    _("True"),
    _("From"),
    _("To"),
    _("General"),
    _("Go back"),
    _("Loading more results..."),
    _("More actions"),
    _("Next"),
    _("No data"),
    _("No recent searches"),
    _("No results found"),
    _("No results matching your query"),
    _("Previous"),
    _("Recent searches"),
    _("Reset filters"),
    _("Return to site"),
    _("Run"),
    _("Search apps and models..."),
    _("Select all rows"),
    _("Select action"),
    _("Select record"),
    _("Select value"),
    _("Submit"),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("Toggle password visibility"),
    _("Type to search"),
    _("Value"),
    _("Welcome back to"),
    _("You have been successfully logged out from the administration"),
    _(
        "Raw passwords are not stored, so there is no way to see this "
        "user’s password, but you can change the password using "
        '<a href="{}" class="text-primary-600 dark:text-primary-500">this form</a>.'
    ),
)

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "config.sidebar.hospital_name",
    "SITE_HEADER": "config.sidebar.hospital_name",
    "SITE_ICON": logo,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": logo}],
    "THEME": "light",  # also hides the switch: one theme, checked for contrast
    "BORDER_RADIUS": "8px",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [tokens, desk],
    "SIDEBAR": {"navigation": "config.sidebar.sidebar"},
    "SITE_URL": None,
    "ACCOUNT": {"navigation": [{"title": _("Passkeys"), "link": reverse_lazy("staff_passkeys")}]},
    "COLORS": {
        # paper, sunken, line, edge and the inks of tokens.css as one scale
        "base": {
            "50": "#F4F6F2",
            "100": "#EBF0EC",
            "200": "#DDE4DF",
            "300": "#C3CDC7",
            "400": "#7D8B85",
            "500": "#5F6E69",
            "600": "#465651",
            "700": "#33423D",
            "800": "#22312C",
            "900": "#15231F",
            "950": "#0D1714",
        },
        # brand: 600 is the colour of links and of the one filled button (7.5:1 under white)
        "primary": {
            "50": "#F1F7F5",
            "100": "#E2EFEB",
            "200": "#B5D2CA",
            "300": "#86B5AA",
            "400": "#4E948A",
            "500": "#1F7168",
            "600": "#0B5F58",
            "700": "#084A45",
            "800": "#063A36",
            "900": "#042C29",
            "950": "#021A18",
        },
        "font": {
            "subtle-light": "#5F6E69",
            "subtle-dark": "#C3CDC7",
            "default-light": "#465651",
            "default-dark": "#DDE4DF",
            "important-light": "#15231F",
            "important-dark": "#F4F6F2",
        },
    },
}
