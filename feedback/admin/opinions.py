"""Feedback, reviews and consent in the admin: read one by one, decided many at a time."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString

from classifier.admin import ReadOnly, image_of
from classifier.models import Prediction
from feedback import approving
from feedback.consent import take_back
from feedback.models import Consent, Feedback, FeedbackQuerySet, Review

_THUMBNAIL_HEIGHT = 64


def _thumbnail(prediction: Prediction) -> SafeString:
    return image_of(prediction, "admin-thumbnail", _THUMBNAIL_HEIGHT)


def _reviewer(request: HttpRequest) -> User:
    return cast(User, request.user)  # the admin lets nobody else in


@admin.register(Feedback)
class FeedbackAdmin(admin.ModelAdmin):
    list_display = (
        *("thumbnail", "label", "agrees", "told", "comment", "consent", "decided"),
        *("person", "created_at"),
    )
    list_display_links = ("thumbnail", "label")
    list_filter = ("agrees", "label", "consent", "prediction__version", "created_at")
    list_select_related = ("prediction",)
    list_per_page = 50
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

    @admin.display(description="photo")
    def thumbnail(self, feedback: Feedback) -> SafeString:
        return _thumbnail(feedback.prediction)

    @admin.display(description="our answer")
    def told(self, feedback: Feedback) -> str:
        return feedback.prediction.answer

    @admin.display(description="review")
    def decided(self, feedback: Any) -> str:
        return "–" if feedback.decision is None else feedback.decision or "left out"

    @admin.action(description="Approve: the photo shows what the person says")
    def approve(self, request: HttpRequest, queryset: FeedbackQuerySet) -> None:
        approval = approving.approve(queryset, _reviewer(request))
        self.message_user(request, f"{approval.approved} approved, to be learnt from.")
        for reason, count in approval.passed_over.items():
            self.message_user(request, f"{count} passed over: {reason}.", messages.WARNING)

    @admin.action(description="Leave out of training")
    def leave_out(self, request: HttpRequest, queryset: FeedbackQuerySet) -> None:
        count = approving.leave_out(queryset, _reviewer(request))
        self.message_user(request, f"{count} left out of training.")

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
    list_filter = ("label", "reviewer", "decided_at")
    list_select_related = ("prediction", "reviewer")
    list_per_page = 50
    search_fields = ("=photo_sha256", "=prediction__id", "reviewer__username")
    show_full_result_count = False
    fields = ("thumbnail", "prediction", "photo_sha256", "says", "reviewer", "decided_at")
    actions = ("put_back",)

    @admin.display(description="photo")
    def thumbnail(self, review: Review) -> SafeString:
        return _thumbnail(review.prediction)

    @admin.display(description="decision", ordering="label")
    def says(self, review: Review) -> str:
        if review.decided_at is None:
            return "being looked at"
        return review.label or "left out"

    @admin.display(description="our answer")
    def told(self, review: Review) -> str:
        return review.prediction.answer

    @admin.action(description="Put back into the queue, to be decided again")
    def put_back(self, request: HttpRequest, queryset: QuerySet[Review]) -> None:
        count, _ = queryset.delete()
        self.message_user(request, f"{count} put back.")


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    list_display = ("person", "may_learn", "changed_at")
    list_filter = ("may_learn",)
    search_fields = ("=person",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["person", "may_learn", "changed_at"]
