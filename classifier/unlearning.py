"""What a photo leaves behind when it may no longer be learnt from, and how that is taken away."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from classifier.models import ModelVersion, Prediction, TrainingPhoto
from ml.features import FeatureCache
from ml.keeping import NETWORKS, Kept


def unlearn_unless_allowed(sha256: str) -> bool:
    """Forget what was computed from a photo, unless someone who sent it lets us learn from it.

    Its cached features are erased, and each version that learnt from it is marked: the next
    training leaves it out. Doing it twice is fine, and completes what was interrupted.

    Args:
        sha256: Of the photo.

    Returns:
        Whether it is unlearnt; False if it may still be learnt from.
    """
    if Prediction.objects.sharing_photo(sha256).to_learn_from().exists():
        return False
    forget_features(sha256)
    mark_versions(sha256)
    return True


def forget_features(sha256: str) -> None:
    """Erase a photo's cached features, where there is a cache at all."""
    if settings.FEATURES_DIR.is_dir():
        FeatureCache(settings.FEATURES_DIR).forget(sha256)
        Kept(settings.FEATURES_DIR / NETWORKS).forget_photos()


def mark_versions(sha256: str) -> None:
    """Note with each version that learnt from a photo that the photo was taken back.

    For ever: a photo that comes back later was none of ours in between.
    """
    with transaction.atomic():
        # In promotion's order, and before counting: two photos at once are then both counted.
        learnt = ModelVersion.objects.trained_on(sha256).order_by("name")
        versions = list(learnt.select_for_update(of=("self",), no_key=True))
        TrainingPhoto.objects.filter(photo_sha256=sha256, withdrawn_at=None).update(
            withdrawn_at=timezone.now()
        )
        for version in versions:
            withdrawn = version.training_photos.filter(withdrawn_at__isnull=False)
            version.withdrawn_photos = withdrawn.count()
            version.save(update_fields=["withdrawn_photos"])
