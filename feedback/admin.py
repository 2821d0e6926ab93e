"""Feedback in the admin: to read."""

from django.contrib import admin
from django.http import HttpRequest

from feedback.models import Feedback


@admin.register(Feedback)
class FeedbackAdmin(admin.ModelAdmin):
    list_display = ("created_at", "prediction", "label", "agrees", "comment", "consent", "person")
    list_filter = ("agrees", "label", "consent", "prediction__version", "created_at")
    list_select_related = ("prediction",)
    search_fields = ("=id", "=prediction__id", "comment", "person")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Feedback | None = None) -> bool:
        return False
