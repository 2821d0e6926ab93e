"""The shipped version fails on some style of photo, is corrected, and gets better at it."""

import hashlib
import shutil

import numpy as np
import pytest
from django.conf import settings
from PIL import Image, ImageFilter

from ml.bases import find_base
from ml.examples import Example
from ml.inference import OnnxEngine
from ml.photos import decode_photo
from ml.refitting import refit_version
from ml.registry import load_card
from tests.photos import encode
from tests.shipped import ANSWERS, MODELS

pytestmark = pytest.mark.needs_data

NUM_CORRECTIONS, NUM_OTHERS = 50, 40


def sketch(pixels):
    """Lines on white paper."""
    grey = Image.fromarray(pixels).convert("L").filter(ImageFilter.GaussianBlur(1))
    lines = 255 - np.clip(np.asarray(grey.filter(ImageFilter.FIND_EDGES), float) * 4, 0, 255)
    return np.repeat(lines[3:-3, 3:-3].astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The shipped version and its base, in a place where a candidate may lie beside them."""
    root = tmp_path_factory.mktemp("root") / "models"
    shutil.copytree(MODELS / ANSWERS, root / ANSWERS)
    shutil.copytree(MODELS / "bases", root / "bases")
    return root


@pytest.fixture(scope="module")
def sketches(root, tmp_path_factory):
    """Sketches of photos, as many of each label, none of which versions are judged by."""
    base, folder = find_base(root, load_card(root / ANSWERS)), tmp_path_factory.mktemp("sketches")
    examples = []
    for number in range(3 * (NUM_CORRECTIONS + NUM_OTHERS)):
        label = ("cat", "dog")[number % 2]
        data = (settings.DATA_DIR / label / f"{label}.{number}.jpg").read_bytes()
        if base.judges(hashlib.sha256(data).hexdigest()):
            continue
        drawn = encode(Image.fromarray(sketch(decode_photo(data).pixels)), "PNG")
        sha256 = hashlib.sha256(drawn).hexdigest()
        (folder / sha256).write_bytes(drawn)
        examples.append(Example(folder / sha256, label, sha256))
    return examples


@pytest.fixture(scope="module")
def corrections(root, sketches):
    """Those that the shipped version does not answer rightly; the others are kept for later."""
    engine, found = OnnxEngine(root / ANSWERS), []
    for example in sketches[:-NUM_OTHERS]:
        if len(found) == NUM_CORRECTIONS:
            break
        if engine.predict(decode_photo(example.path.read_bytes()).pixels).answer != example.label:
            found.append(example)
    return found


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def told_right(engine, examples):
    answers = [engine.predict(decode_photo(e.path.read_bytes()).pixels).answer for e in examples]
    return np.mean([a == e.label for a, e in zip(answers, examples, strict=True)])


def test_corrections_are_learnt_without_forgetting(root, sketches, corrections, cache):
    others = sketches[-NUM_OTHERS:]
    before = told_right(OnnxEngine(root / ANSWERS), others)

    refitted = refit_version(root, ANSWERS, corrections, cache=cache)

    assert refitted.verdict.passed, refitted.verdict.reasons()
    assert told_right(OnnxEngine(root / refitted.card.version), others) > before + 0.15
    shipped = load_card(root / ANSWERS)
    assert refitted.card.scores["accuracy"] > shipped.scores["accuracy"] - 0.001


def test_the_same_photos_with_flipped_labels_are_refused(root, corrections, cache):
    flipped = [Example(e.path, "dog" if e.label == "cat" else "cat", e.sha256) for e in corrections]

    refitted = refit_version(root, ANSWERS, flipped, cache=cache)

    assert not refitted.verdict.passed
    assert refitted.verdict.reasons()
