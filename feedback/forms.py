"""What the page's feedback buttons send."""

from django import forms


class FeedbackForm(forms.Form):
    """`feedback.giving.give_feedback` judges what the fields mean together."""

    label = forms.CharField(required=False, max_length=64)
    correct = forms.NullBooleanField(required=False)
    comment = forms.CharField(required=False, max_length=1000)
    consent = forms.BooleanField(required=False)

    def clean_label(self) -> str | None:
        return self.cleaned_data["label"] or None
