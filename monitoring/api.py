"""The API's door to the figures."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classifier.api.shapes import errors
from classifier.callers import person_of
from monitoring import figures
from monitoring.figures import Period
from monitoring.figures.quality import Share

# What is asked for without `since`.
_DAYS = 30


class PeriodSerializer(serializers.Serializer):
    """`since` and `until`, as `/api/predictions` takes them; the last 30 days without."""

    since = serializers.DateTimeField(
        required=False, help_text=f"{_DAYS} days before `until` if absent."
    )
    until = serializers.DateTimeField(required=False, help_text="Now if absent.")

    def validate_since(self, at: datetime) -> datetime:
        return _plausible(at)

    def validate_until(self, at: datetime) -> datetime:
        return _plausible(at)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        until = attrs.get("until") or timezone.now()
        since = attrs.get("since") or until - timedelta(days=_DAYS)
        if since > until:
            raise serializers.ValidationError(
                {
                    "since": _("The period ends, at %(until)s, before it begins, at %(since)s.")
                    % {"until": until, "since": since}
                }
            )
        return {"period": Period(since, until)}


class ShareSerializer(serializers.Serializer):
    right = serializers.IntegerField(source="part", help_text="Feedback that agrees.")
    count = serializers.IntegerField(help_text="All feedback.")
    share = serializers.FloatField(allow_null=True, help_text="null without any feedback.")
    interval = serializers.ListField(
        child=serializers.FloatField(),
        min_length=2,
        max_length=2,
        allow_null=True,
        help_text="95 % interval of the share, by Wilson; null without any feedback.",
    )


class CountsSerializer(serializers.Serializer):
    predictions = serializers.IntegerField(source="count")
    by_answer = serializers.DictField(
        child=serializers.IntegerField(), help_text="A label, `unsure` or `neither` to how many."
    )


class AgreementSerializer(ShareSerializer):
    by_answer = serializers.DictField(child=ShareSerializer(), help_text="By what we answered.")
    by_version = serializers.DictField(child=ShareSerializer())


class PercentilesSerializer(serializers.Serializer):
    p50 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    p99 = serializers.FloatField(allow_null=True)


class LatencySerializer(serializers.Serializer):
    inference = PercentilesSerializer()
    total = PercentilesSerializer()
    exact = serializers.BooleanField(
        source="is_exact", help_text="false: from so many predictions that it is good to 2 %."
    )


class StatisticsSerializer(serializers.Serializer):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    counts = CountsSerializer()
    agreement = AgreementSerializer()
    latency_ms = LatencySerializer()


class StatisticsView(APIView):
    """Counts, agreement and latency: staff of all predictions, others of their own."""

    @extend_schema(
        parameters=[PeriodSerializer],
        responses={200: StatisticsSerializer, **errors(400, 401, 503)},
    )
    def get(self, request: Request) -> Response:
        asked = PeriodSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        period = asked.validated_data["period"]
        person = None if _sees_all(request) else person_of(request)
        agreement = figures.agreement(period, person=person)
        statistics = {
            "since": period.since,
            "until": period.until,
            "counts": figures.answers(period, person=person),
            "agreement": {
                **_as_dict(agreement.overall),
                "by_answer": agreement.by_answer,
                "by_version": agreement.by_version,
            },
            "latency_ms": figures.latency(period, person=person),
        }
        return Response(StatisticsSerializer(statistics).data)


def _as_dict(share: Share) -> dict[str, Any]:
    return {name: getattr(share, name) for name in ("part", "count", "share", "interval")}


def _sees_all(request: Request) -> bool:
    return bool(request.user.is_authenticated and request.user.is_staff)


def _plausible(at: datetime) -> datetime:
    # Beyond, the calendar overflows once a time zone is taken off, or 30 days.
    if not datetime(1971, 1, 1, tzinfo=UTC) <= at <= datetime(2999, 1, 1, tzinfo=UTC):
        raise serializers.ValidationError(_("A time from 1971 to 2999 is expected."))
    return at
