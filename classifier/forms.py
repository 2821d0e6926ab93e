"""The page's form: its cleaned value is a decoded photo."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from classifier.uploads import read_photo
from classifier.words import said
from ml.photos import Photo, PhotoError

_ACCEPT = "image/jpeg,image/png,image/webp,image/gif,image/avif,image/heic,.heic"


class PhotoField(forms.FileField):
    """A file field whose cleaned value is a `Photo`; a refusal carries `PhotoError`'s code."""

    widget = forms.FileInput(attrs={"accept": _ACCEPT})
    default_error_messages = {"required": _("Choose a photo first.")}

    def clean(self, data: Any, initial: Any = None) -> Photo:
        upload = super().clean(data, initial)
        try:
            return read_photo(upload)
        except PhotoError as error:
            raise ValidationError(said(error), code=error.code) from error


class PhotoForm(forms.Form):
    # An empty file gets decode_photo's own code.
    photo = PhotoField(allow_empty_file=True)

    @property
    def refusals(self) -> list[str]:
        """Why the photo was refused: codes of the API."""
        codes = [error.code or "invalid" for error in self.errors.as_data().get("photo", [])]
        return ["missing_image" if code == "required" else code for code in codes]
