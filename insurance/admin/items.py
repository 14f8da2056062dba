"""The hospital's items with their national codes: the list, and a file that brings new ones."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.admin import ReadOnlyAdmin
from core.admin_values import NONE
from core.errors import BadInput, Refusal
from core.models import User
from core.staff import staff_actor
from core.web_addresses import peer_address
from insurance.catalogue import items_with_code
from insurance.items_file import COLUMNS, REQUIRED
from insurance.models import CatalogueItem, Institution, ItemImport, ItemLevel, ItemMapping
from insurance.services.catalogue import items_apply, items_upload

IMPORT_ITEMS = "insurance.import_items"
UNMAPPED_SHOWN = 50
_DIGITS_MAX = 18


class Coded(admin.SimpleListFilter):
    """Whether the insurer knows the item today."""

    title = gettext_lazy("national code")
    parameter_name = "coded"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", _("without a code")), ("yes", _("with a code"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {"no": False, "yes": True}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(coded=wanted)


@admin.register(CatalogueItem)
class CatalogueItemAdmin(ReadOnlyAdmin):
    """Every item with the code it has today; changes come in files, on record."""

    list_display = ("hospital_code", "name", "category", "code", "item_level", "limit")
    list_filter = (Coded, "category")
    search_fields = ("hospital_code__exact", "mappings__national_code__exact", "name")
    ordering: ClassVar = ("hospital_code",)
    change_list_template = "insurance/items_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[CatalogueItem]:
        today = clock.today()
        newest = ItemMapping.objects.filter(item=OuterRef("pk"), valid_from__lte=today)
        newest = newest.order_by("-valid_from")
        rows = items_with_code(today).select_related("institution").order_by(*self.ordering)
        return rows.annotate(
            **{
                f"code_{name}": Subquery(newest.values(name)[:1])
                for name in ("national_code", "level", "price_limit")
            }
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_fields(request, obj), "spans"]

    @admin.display(description=gettext_lazy("insured institution"))
    def institution(self, obj: CatalogueItem) -> str:
        return str(obj.institution)

    @admin.display(description=gettext_lazy("national code"))
    def code(self, obj: Any) -> str:
        return obj.code_national_code if obj.coded else NONE

    @admin.display(description=gettext_lazy("class"))
    def item_level(self, obj: Any) -> str:
        known = obj.coded and obj.code_level
        return str(ItemLevel(obj.code_level).label) if known else NONE

    @admin.display(description=gettext_lazy("price limit"))
    def limit(self, obj: Any) -> str:
        known = obj.coded and obj.code_price_limit is not None
        return f"¥{obj.code_price_limit.normalize():f}" if known else NONE

    @admin.display(description=gettext_lazy("codes of the item"))
    def spans(self, obj: CatalogueItem) -> str:
        rows = obj.mappings.order_by("-valid_from")
        return format_html_join("", "<div>{} {} {} – {}</div>", (
            (row.national_code, row.get_level_display(), row.valid_from, row.valid_until or "")
            for row in rows
        )) or NONE  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.upload_page)
        own = path("upload/", page, name="insurance_catalogueitem_upload")
        return [own, *super().get_urls()]

    def upload_page(self, request: HttpRequest) -> HttpResponse:
        """A file is chosen, what it would do is shown, and one button does it."""
        if not request.user.has_perm(IMPORT_ITEMS):
            raise PermissionDenied
        try:
            if "take" in request.POST:
                return self._taken(request)
            if request.method == "POST":
                return self._shown(request, draft=_draft(request))
        except Refusal as refusal:
            return self._shown(request, refusal=refusal)
        return self._shown(request)

    def _taken(self, request: HttpRequest) -> HttpResponse:
        assert isinstance(request.user, User)
        report = items_apply(
            import_id=_whole(request.POST["take"]),
            by=staff_actor(request.user),
            address=peer_address(request),
        )
        said = _("Imported: %(items)d items and %(codes)d codes are new or changed.") % {
            "items": report.items_added + report.items_changed,
            "codes": report.codes_added + report.codes_changed,
        }
        messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:insurance_catalogueitem_changelist"))

    def _shown(
        self,
        request: HttpRequest,
        *,
        draft: ItemImport | None = None,
        refusal: Refusal | None = None,
    ) -> HttpResponse:
        unmapped = draft.preview["unmapped"] if draft else []
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import items"),
            "institutions": Institution.objects.filter(active=True).order_by("pk"),
            "columns": [(chinese, one in REQUIRED) for one, chinese in COLUMNS.items()],
            "draft": draft,
            "unmapped": unmapped[:UNMAPPED_SHOWN],
            "unmapped_more": max(len(unmapped) - UNMAPPED_SHOWN, 0),
            "faults": str(refusal.message).splitlines() if refusal else [],
        }
        return render(
            request,
            "insurance/items_upload.html",
            context,
            status=refusal.status if refusal else 200,
        )


def _draft(request: HttpRequest) -> ItemImport:
    assert isinstance(request.user, User)
    file = request.FILES.get("file")
    chosen = Institution.objects.filter(
        pk=_whole(request.POST.get("institution", "")), active=True
    ).first()
    if file is None or chosen is None:
        raise BadInput("no_items_file", _("Choose an institution and a file."), field="file")
    return items_upload(
        institution=chosen,
        name=file.name or "",
        content=file.read(),
        by=staff_actor(request.user),
    )


def _whole(text: str) -> int:
    """A row's number from a form; 0 is nobody's."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else 0
