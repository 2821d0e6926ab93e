"""The API's doors to the versions and their scores."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics

from classifier.api.shapes import ModelVersionSerializer, errors
from classifier.models import ModelVersion


@extend_schema_view(get=extend_schema(responses={200: ModelVersionSerializer, **errors(401)}))
class ModelVersionListView(generics.ListAPIView):
    """The versions, newest first, with their scores; `live` is the one that answers."""

    queryset = ModelVersion.objects.all()
    serializer_class = ModelVersionSerializer
    filter_backends = ()


@extend_schema_view(get=extend_schema(responses={200: ModelVersionSerializer, **errors(401, 404)}))
class ModelVersionView(generics.RetrieveAPIView):
    """One version."""

    queryset = ModelVersion.objects.all()
    lookup_url_kwarg = "version"
    serializer_class = ModelVersionSerializer
    filter_backends = ()
