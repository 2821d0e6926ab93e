"""Keep the disk from filling with candidates that were refused."""

import contextlib
import os
import shutil
from datetime import datetime, timedelta

from django.conf import settings

from feedback.models import TrainingRun

# The first free name of a day is given to a version: on that day, none may become free again.
_DAYS = timedelta(days=2)
# Enough to look at what was refused lately, to replay it, or to let it answer after all.
KEPT = 3


def discard_refused(now: datetime, keep: int = KEPT) -> list[str]:
    """Remove the folders of refused candidates that never answered, but for the newest.

    Their rows and verdicts stay.

    Args:
        now: What is younger than two days stays.
        keep: How many of the others keep their folders as well.

    Returns:
        The names of the versions whose folders are gone now.
    """
    refused = TrainingRun.objects.filter(
        outcome=TrainingRun.Outcome.REFUSED,
        candidate__is_live=False,
        candidate__promotions__isnull=True,
        finished_at__lt=now - _DAYS,
    )
    names = refused.order_by("-id").values_list("candidate_id", flat=True)[keep:]
    return [name for name in names if _discard(name)]


def _discard(name: str) -> bool:
    """Whether there was a folder. It goes at once: half of it would be a broken version."""
    folder = settings.MODELS_DIR / name
    aside = folder.with_name(f".discarding-{name}")
    with contextlib.suppress(FileNotFoundError):
        os.rename(folder, aside)
        shutil.rmtree(aside, ignore_errors=True)
        return True
    return False
