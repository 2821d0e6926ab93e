"""What the page's feedback buttons send."""

from django import forms


class FeedbackForm(forms.Form):
    """`feedback.giving.give_feedback` judges what the fields mean together."""

    label = forms.CharField(required=False, max_length=64)
    correct = forms.NullBooleanField(required=False)
    comment = forms.CharField(required=False, max_length=1000)
    consent = forms.NullBooleanField(required=False)

    def clean_label(self) -> str | None:
        return self.cleaned_data["label"] or None


class MayLearnForm(forms.Form):
    """The answer to whether we may learn from a person's photos: yes or no, nothing between."""

    may_learn = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])

    def clean_may_learn(self) -> bool:
        return bool(self.cleaned_data["may_learn"] == "yes")
