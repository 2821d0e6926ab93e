"""By what the lists of the admin are narrowed down."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from classifier.models import Prediction
from classifier.naming import label_name


class HasFeedback(admin.SimpleListFilter):
    title = pgettext_lazy("filter", "feedback")
    parameter_name = "feedback"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("any", pgettext("feedback", "given")),
            ("none", pgettext("feedback", "none yet")),
            ("right", pgettext("feedback", "right")),
            ("wrong", pgettext("feedback", "wrong")),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Prediction]
    ) -> QuerySet[Prediction]:
        match self.value():
            case "any":
                return queryset.filter(feedback__isnull=False).distinct()
            case "none":
                return queryset.filter(feedback__isnull=True)
            case "right" | "wrong" as opinion:
                return queryset.filter(feedback__agrees=opinion == "right").distinct()
        return queryset


class Confidence(admin.SimpleListFilter):
    title = pgettext_lazy("filter", "confidence")
    parameter_name = "confidence"
    _bands = {"70": (0, 0.7), "90": (0.7, 0.9), "99": (0.9, 0.99), "100": (0.99, 1.01)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        percents = {"seventy": "70 %", "ninety": "90 %", "almost_all": "99 %"}
        texts = (
            _("below %(seventy)s"),
            _("%(seventy)s to %(ninety)s"),
            _("%(ninety)s to %(almost_all)s"),
            _("%(almost_all)s and more"),
        )
        return list(zip(self._bands, (text % percents for text in texts), strict=True))

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Prediction]
    ) -> QuerySet[Prediction]:
        if self.value() not in self._bands:
            return queryset
        low, high = self._bands[str(self.value())]
        return queryset.filter(confidence__gte=low, confidence__lt=high)


class Named(admin.AllValuesFieldListFilter):
    """Answers or labels, as people call them."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": label_name(str(choice["display"]))}
