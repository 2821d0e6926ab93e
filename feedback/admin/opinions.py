"""Feedback, reviews and consent in the admin: read one by one, decided many at a time."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from classifier.admin import ReadOnly, image_of
from classifier.admin_filters import Named
from classifier.models import Prediction
from classifier.naming import label_name
from feedback import approving
from feedback.consent import take_back
from feedback.models import Consent, Feedback, FeedbackQuerySet, Review

_THUMBNAIL_HEIGHT = 64


def _thumbnail(prediction: Prediction) -> SafeString:
    return image_of(prediction, "admin-thumbnail", _THUMBNAIL_HEIGHT)


def _decision(label: str) -> str:
    return label_name(label) if label else pgettext("review", "left out")


def _reviewer(request: HttpRequest) -> User:
    return cast(User, request.user)  # the admin lets nobody else in


@admin.register(Feedback)
class FeedbackAdmin(admin.ModelAdmin):
    list_display = (
        *("thumbnail", "says", "agrees", "told", "comment", "consent", "decided"),
        *("person", "created_at"),
    )
    list_display_links = ("thumbnail", "says")
    list_filter = ("agrees", ("label", Named), "consent", "prediction__version", "created_at")
    list_select_related = ("prediction",)
    list_per_page = 50
    fields = ("prediction", "person", "says", "agrees", "comment", "consent")
    search_fields = ("=id", "=prediction__id", "comment", "person")
    show_full_result_count = False
    actions = ("approve", "leave_out")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Feedback | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feedback]:
        same_photo = Review.objects.filter(photo_sha256=OuterRef("prediction__photo_sha256"))
        decision = Subquery(same_photo.decided().values("label")[:1])
        return Feedback.objects.annotate(decision=decision)

    @admin.display(description=pgettext_lazy("column", "photo"))
    def thumbnail(self, feedback: Feedback) -> SafeString:
        return _thumbnail(feedback.prediction)

    @admin.display(description=pgettext_lazy("column", "label"), ordering="label")
    def says(self, feedback: Feedback) -> str:
        return label_name(feedback.label)

    @admin.display(description=pgettext_lazy("column", "our answer"))
    def told(self, feedback: Feedback) -> str:
        return label_name(feedback.prediction.answer)

    @admin.display(description=pgettext_lazy("column", "review"))
    def decided(self, feedback: Any) -> str:
        return "–" if feedback.decision is None else _decision(feedback.decision)

    @admin.action(description=gettext_lazy("Approve: the photo shows what the person says"))
    def approve(self, request: HttpRequest, queryset: FeedbackQuerySet) -> None:
        approval = approving.approve(queryset, _reviewer(request))
        words = ngettext(
            "%(count)s approved, to be learnt from.",
            "%(count)s approved, to be learnt from.",
            approval.approved,
        )
        self.message_user(request, words % {"count": approval.approved})
        for reason, count in approval.passed_over.items():
            words = ngettext(
                "%(count)s passed over: %(reason)s.", "%(count)s passed over: %(reason)s.", count
            )
            words %= {"count": count, "reason": reason}
            self.message_user(request, words, messages.WARNING)

    @admin.action(description=gettext_lazy("Leave out of training"))
    def leave_out(self, request: HttpRequest, queryset: FeedbackQuerySet) -> None:
        count = approving.leave_out(queryset, _reviewer(request))
        words = ngettext(
            "%(count)s left out of training.", "%(count)s left out of training.", count
        )
        self.message_user(request, words % {"count": count})

    def delete_model(self, request: HttpRequest, obj: Feedback) -> None:
        self.delete_queryset(request, Feedback.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Feedback]) -> None:
        """Consent goes with the feedback that carries it."""
        chosen = Feedback.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
        take_back(chosen)
        chosen.delete()


@admin.register(Review)
class ReviewAdmin(ReadOnly):
    list_display = ("thumbnail", "says", "told", "reviewer", "decided_at")
    list_display_links = ("thumbnail", "says")
    list_filter = (("label", Named), "reviewer", "decided_at")
    list_select_related = ("prediction", "reviewer")
    list_per_page = 50
    search_fields = ("=photo_sha256", "=prediction__id", "reviewer__username")
    show_full_result_count = False
    fields = ("thumbnail", "prediction", "photo_sha256", "says", "reviewer", "decided_at")
    actions = ("put_back",)

    @admin.display(description=pgettext_lazy("column", "photo"))
    def thumbnail(self, review: Review) -> SafeString:
        return _thumbnail(review.prediction)

    @admin.display(description=pgettext_lazy("column", "decision"), ordering="label")
    def says(self, review: Review) -> str:
        if review.decided_at is None:
            return pgettext("review", "being looked at")
        return _decision(review.label)

    @admin.display(description=pgettext_lazy("column", "our answer"))
    def told(self, review: Review) -> str:
        return label_name(review.prediction.answer)

    @admin.action(description=gettext_lazy("Put back into the queue, to be decided again"))
    def put_back(self, request: HttpRequest, queryset: QuerySet[Review]) -> None:
        count, _ = queryset.delete()
        words = ngettext("%(count)s put back.", "%(count)s put back.", count)
        self.message_user(request, words % {"count": count})


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    list_display = ("person", "may_learn", "changed_at")
    list_filter = ("may_learn",)
    search_fields = ("=person",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["person", "may_learn", "changed_at"]
