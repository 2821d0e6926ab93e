"""What a version says of its own holdout is learnt once, from its base."""

import shutil

import pytest

from classifier.models import ModelVersion, Prediction
from ml.answering import mind_of
from ml.bases import BASES, find_base
from ml.registry import load_card
from monitoring import holdout
from monitoring.bins import MEASURES
from monitoring.models import Holdout
from monitoring.rollup import roll_up
from tests.shipped import MODELS, SMALL

pytestmark = pytest.mark.django_db

MEASURED = ("confidence", "novelty")


@pytest.fixture
def root(settings, tmp_path):
    """A copy of what ships: one version, live, with all bases."""
    settings.MODELS_DIR = tmp_path
    shutil.copytree(MODELS / SMALL, tmp_path / SMALL)
    shutil.copytree(MODELS / BASES, tmp_path / BASES)
    ModelVersion.objects.register(load_card(tmp_path / SMALL)).promote()
    return tmp_path


def test_it_says_of_the_holdout_what_its_card_says(root):
    roll_up()

    found, card = Holdout.objects.get(), load_card(root / SMALL)

    assert (found.version_id, found.count) == (SMALL, card.scores["count"])
    for measure in MEASURED:
        assert sum(found.bins[measure].values()) == found.count
    # Both limits are no edges of bins: a bin's worth of photos more or less.
    told = card.scores["told"]
    strange = sum(n for bin, n in found.bins["novelty"].items() if int(bin) >= 50)
    assert strange / found.count == pytest.approx(told["neither"], abs=0.003)


def test_its_bins_are_those_of_predictions(root):
    """The same answers, logged, fall into the same bins by SQL."""
    answers = mind_of(root / SMALL, load_card(root / SMALL)).answers(
        find_base(root, load_card(root / SMALL)).holdout
    )
    said = {"label": "cat", "answer": "cat", "probabilities": {}, "photo_sha256": "0" * 64}
    measured = {"decode_ms": 1, "inference_ms": 1, "total_ms": 1}
    photo = {"photo_format": "JPEG", "photo_width": 1, "photo_height": 1, "photo_bytes": 1}
    Prediction.objects.bulk_create(
        Prediction(
            version_id=SMALL,
            confidence=each.confidence,
            novelty=each.novelty,
            **{**said, **measured, **photo},
        )
        for each in answers
    )

    holdout.learn_missing()

    bins = Holdout.objects.get().bins
    for measure in MEASURED:
        values = list(
            Prediction.objects.annotate(bin=MEASURES[measure].bin).values_list("bin", flat=True)
        )
        by_sql = {str(bin): values.count(bin) for bin in set(values)}
        assert bins[measure] == by_sql


def test_it_is_learnt_once(root):
    holdout.learn_missing()
    shutil.rmtree(root)

    holdout.learn_missing()

    assert Holdout.objects.count() == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda root: shutil.rmtree(root / BASES),
        lambda root: shutil.rmtree(root / SMALL),
        lambda root: (root / SMALL / "model.onnx").write_bytes(b"something else"),
        lambda root: [path.write_bytes(b"no base") for path in (root / BASES).iterdir()],
        lambda root: ModelVersion.objects.update(weights_sha256="0" * 64),
    ],
    ids=["no base", "no version", "another network", "a broken base", "other weights"],
)
def test_where_it_cannot_be_learnt_there_is_none(root, damage):
    damage(root)

    roll_up()

    assert not Holdout.objects.exists()


def test_a_version_that_is_not_live_is_not_asked(root):
    ModelVersion.objects.update(is_live=False)

    holdout.learn_missing()

    assert not Holdout.objects.exists()
