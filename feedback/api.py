"""The API's door to feedback."""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classifier import journal
from classifier.api.shapes import errors
from classifier.callers import person_of, visible_to
from classifier.errors import ApiError
from classifier.models import Prediction
from classifier.throttling import admit_feedback
from feedback.giving import FeedbackError, give_feedback
from feedback.models import Feedback


class GiveFeedbackSerializer(serializers.Serializer):
    prediction = serializers.UUIDField(help_text=_("The prediction's id."))
    label = serializers.CharField(  # type: ignore[assignment]  # Field.label is its caption
        required=False, max_length=64, help_text=_("What the photo shows: a label, or 'neither'.")
    )
    correct = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text=_("In place of 'label'.")
    )
    comment = serializers.CharField(required=False, allow_blank=True, max_length=1000, default="")
    consent = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text=_("You may train on this photo. Left out: what you said in general, else no."),
    )


class FeedbackSerializer(serializers.ModelSerializer):
    correct = serializers.BooleanField(source="agrees")

    class Meta:
        model = Feedback
        fields = ("id", "prediction", "label", "correct", "comment", "consent", "created_at")


class FeedbackView(APIView):
    """Say whether an answer was right. Saying it again replaces what you said before."""

    scope = "feedback"

    @extend_schema(
        request=GiveFeedbackSerializer,
        responses={
            201: FeedbackSerializer,
            200: FeedbackSerializer,
            **errors(400, 401, 404, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        admit_feedback(request)
        serializer = GiveFeedbackSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        said = dict(serializer.validated_data)
        prediction = self._find(request, said.pop("prediction"))
        try:
            feedback, is_first = give_feedback(prediction, person=person_of(request), **said)
        except FeedbackError as error:
            raise ApiError(str(error), code=error.code, field=error.field) from error
        return Response(
            FeedbackSerializer(feedback).data,
            status=status.HTTP_201_CREATED if is_first else status.HTTP_200_OK,
        )

    def get_serializer(self, *args: Any, **kwargs: Any) -> GiveFeedbackSerializer:
        """The browsable API draws its form from this."""
        return GiveFeedbackSerializer(*args, **kwargs)

    def _find(self, request: Request, prediction_id: Any) -> Prediction:
        prediction = visible_to(request).filter(pk=prediction_id).first()
        if prediction is None:
            if journal.holds(prediction_id):
                raise journal.Waiting
            raise ApiError(
                gettext("There is no such prediction, or it is not yours."),
                code="unknown_prediction",
                status_code=404,
                field="prediction",
            )
        return prediction
