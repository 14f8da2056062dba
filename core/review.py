"""What a person must decide. Whoever opened a case never decides it, superuser included.

A case is OPEN until it is approved or rejected by another person, or withdrawn by the one who
opened it. The service refuses and the database repeats the refusal, so that neither a second door
nor plain SQL gets round it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor, ActorKind
from core.errors import BadInput, Conflict, Forbidden
from core.states import transition

COMMENT_LENGTH_MAX = 500
NO_REASON = _("Write the reason: approving and rejecting both need one. It is kept with your name.")


class ReviewStatus(models.TextChoices):
    OPEN = "OPEN", _("open")
    APPROVED = "APPROVED", _("approved")
    REJECTED = "REJECTED", _("rejected")
    WITHDRAWN = "WITHDRAWN", _("withdrawn")


class IsDistinctFrom(models.Lookup):
    """`a IS DISTINCT FROM b`: never NULL, so a CHECK cannot pass by not knowing."""

    lookup_name = "distinct_from"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} IS DISTINCT FROM {right}", (*left_params, *right_params)


def maker_checker(
    *, maker: str, checker: str, decided: models.Q, name: str
) -> models.CheckConstraint:
    """Where `decided` holds, both columns name someone and not the same one."""
    both_known = models.Q(**{f"{maker}__gt": "", f"{checker}__gt": ""})
    distinct = IsDistinctFrom(models.F(maker), models.F(checker))
    known = models.Q(**{f"{maker}__isnull": False, f"{checker}__isnull": False})
    return models.CheckConstraint(
        condition=~decided | (known & both_known & models.Q(distinct)), name=name
    )


class ReviewCase(models.Model):
    """The common part of every review; an app adds a real foreign key to what is reviewed."""

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        ReviewStatus.OPEN: frozenset(
            {ReviewStatus.APPROVED, ReviewStatus.REJECTED, ReviewStatus.WITHDRAWN}
        ),
    }

    status = models.CharField(
        _("status"), max_length=12, choices=ReviewStatus.choices, default=ReviewStatus.OPEN
    )
    reason_code = models.CharField(_("reason"), max_length=64)
    summary = models.CharField(_("what happened"), max_length=500, blank=True)
    opened_by = models.CharField(_("opened by"), max_length=80)
    opened_at = models.DateTimeField(_("opened at"))
    decided_by = models.CharField(_("decided by"), max_length=80, null=True, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    comment = models.CharField(_("comment"), max_length=COMMENT_LENGTH_MAX, blank=True)

    class Meta:
        abstract = True
        constraints: ClassVar = [
            maker_checker(
                maker="opened_by",
                checker="decided_by",
                decided=models.Q(status__in=[ReviewStatus.APPROVED, ReviewStatus.REJECTED]),
                name="%(app_label)s_%(class)s_maker_checker",
            ),
            models.CheckConstraint(
                condition=models.Q(status=ReviewStatus.OPEN, decided_at__isnull=True)
                | models.Q(decided_at__isnull=False),
                name="%(app_label)s_%(class)s_decided_at",
            ),
        ]


def refuse_same_person(checker: str, *makers: str, field: str = "") -> None:
    """Whoever asked for something never approves it. Codes are typed, so case does not count."""
    if checker.casefold() in {maker.casefold() for maker in makers}:
        raise Forbidden("maker_is_checker", _("Who made a request cannot approve it."), field)


def review_decide(
    *,
    review: ReviewCase,
    to: str,
    by: Actor,
    comment: str = "",
    written: Mapping[str, Any] | None = None,
) -> None:
    """Approve, reject or withdraw a locked, open case. Runs in the caller's transaction. `written`
    are columns of the case's own that its decision fills.

    Who approves says why as who rejects does: that somebody looked is what a second person is for.
    """
    comment = comment.strip()
    if review.status != ReviewStatus.OPEN:
        raise Conflict("review_closed", _("This case has already been decided."))
    if to == ReviewStatus.WITHDRAWN:
        if by.key != review.opened_by:
            raise Forbidden("not_the_maker", _("Only whoever opened a case may withdraw it."))
    elif by.kind != ActorKind.STAFF:
        raise Forbidden("not_staff", _("A case is decided by a member of staff."))
    else:
        refuse_same_person(by.key, review.opened_by)
    if to in (ReviewStatus.APPROVED, ReviewStatus.REJECTED) and not comment:
        raise BadInput("comment_missing", NO_REASON, "comment")
    if len(comment) > COMMENT_LENGTH_MAX:
        raise BadInput("comment_long", _("At most 500 characters."), "comment")
    transition(
        review,
        to,
        by=by,
        reason=comment,
        decided_by=by.key,
        decided_at=clock.now(),
        comment=comment,
        **(written or {}),
    )
