"""What a version says of its own holdout: the reference from its training, for drift.

A card keeps how often it gave which answer, and nothing of how sure it was. The base that the
version is refitted on holds the features of its holdout: so it is asked again, once, in a second.
"""

import logging
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from classifier.loading import give_back_memory
from classifier.models import ModelVersion
from ml.registry import VersionError, load_card, load_version
from monitoring.bins import bin_of
from monitoring.models import Holdout

# So many photos at a time: novelty compares each with thousands.
_AT_ONCE = 256
# For a process that starts on a busy machine; a check of the alerts may take 50.
_SECONDS = 45.0

logger = logging.getLogger(__name__)
# Versions whose holdout this process has had learnt, or tried to.
_tried: set[Any] = set()


def learn_missing() -> None:
    """Keep what the live version says of its holdout, if that is not known and can be."""
    live = ModelVersion.objects.live().first()
    if live is None or Holdout.objects.filter(version=live).exists():
        return
    if bins := _bins_of(live, settings.MODELS_DIR):
        count = sum(bins["confidence"].values())
        Holdout.objects.get_or_create(version=live, defaults={"count": count, "bins": bins})
    give_back_memory()


def learn_apart() -> None:
    """The same in a process of its own, which takes with it all that it needs for a moment.

    One that fails is not tried again by this process: `manage.py roll_up` says why.
    """
    live = ModelVersion.objects.live().first()
    if live is None or live.pk in _tried or Holdout.objects.filter(version=live).exists():
        return
    _tried.add(live.pk)
    if not _has_base(live, settings.MODELS_DIR):
        return
    try:
        # It stands back behind photos, whose threads stand back by 10, but so that it ends in time.
        subprocess.run(
            [sys.executable, "manage.py", "roll_up", "--niceness=15"],
            cwd=settings.BASE_DIR,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        logger.warning("What version %s says of its holdout was not learnt.", live.name)


def _has_base(version: ModelVersion, root: Path) -> bool:
    from ml.base import BaseError
    from ml.bases import base_digest

    try:
        base_digest(root, load_card(root / version.name))
    except (VersionError, BaseError):
        return False
    return True


def _bins_of(version: ModelVersion, root: Path) -> dict[str, dict[str, int]] | None:
    """Measure to bin to count; None where the version has no base, or is not whole."""
    # Here, because only this needs what takes networks apart.
    from ml.answering import mind_of
    from ml.base import BaseError
    from ml.bases import base_digest, find_base

    try:
        base_digest(root, load_card(root / version.name))  # before all files are read
        card = load_version(root / version.name)
        if card.weights_sha256 != version.weights_sha256:
            return None
        mind, seen = mind_of(root / version.name, card), find_base(root, card).holdout
        places = [np.arange(i, min(i + _AT_ONCE, len(seen))) for i in range(0, len(seen), _AT_ONCE)]
        answers = [each for place in places for each in mind.answers(seen.only(place))]
    except (VersionError, BaseError, FloatingPointError):
        return None
    values = {
        "confidence": [answer.confidence for answer in answers],
        "novelty": [answer.novelty for answer in answers if answer.novelty is not None],
    }
    return {
        measure: dict(Counter(str(bin_of(measure, value)) for value in found))
        for measure, found in values.items()
    }
