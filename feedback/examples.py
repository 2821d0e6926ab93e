"""What reviewers approved, as examples to learn from."""

from classifier import storage
from classifier.models import ModelVersion
from feedback.models import Feedback, Review
from ml.examples import Example
from ml.inference import NEITHER


def approved_examples() -> list[Example]:
    """The photos that may be learnt from and that a reviewer said something about, by SHA-256.

    A photo counts while its sender allows it, within the daily limit of what one person can teach,
    while its file is there and while its label is one of the live version's, or `neither`.
    """
    live = ModelVersion.objects.live().first()
    if live is None:
        return []
    teaching = Feedback.objects.to_learn_from().within_daily_limit()
    reviews = (
        Review.objects.approved()
        .saying_one_of([*live.labels, NEITHER])
        .about_photos_of(teaching)
        .order_by("photo_sha256")
    )
    return [
        Example(path, review.label, review.photo_sha256)
        for review in reviews
        if (path := storage.path_of(review.photo_sha256))
    ]
