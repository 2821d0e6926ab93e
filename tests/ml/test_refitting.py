"""Feedback becomes a candidate: it learns, forgets nothing, and leaves nothing half-written."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from ml import refitting
from ml.bases import BASES
from ml.features import FeatureCache
from ml.inference import OnnxEngine
from ml.refitting import RefitError, refit_digest, refit_version
from ml.registry import NETWORK, list_versions, load_version
from ml.sources import read_folder
from ml.surgery import read_head, with_head
from tests.ml.taught import drawn_examples, told_right

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")


@pytest.fixture
def root(trained, tmp_path):
    """Versions' folder of its own, with the trained version and its base."""
    return shutil.copytree(trained.models, tmp_path / "models")


@pytest.fixture(scope="module")
def checks(tmp_path_factory):
    """Checks, which the version has never seen, and of which people say they are rings."""
    return drawn_examples(tmp_path_factory.mktemp("checks"), ["rings"], kinds=["checks"], number=40)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def refit(root, trained, cache):
    def refit(examples, **options):
        return refit_version(root, trained.card.version, examples, cache=cache, **options)

    return refit


def leftovers(root):
    return [path.name for path in root.iterdir() if path.name.startswith(".")]


def test_it_learns_what_people_say_of_photos_it_never_saw(root, trained, refit, checks, tmp_path):
    others = drawn_examples(tmp_path / "o", ["rings"], kinds=["checks"], start=2000, number=12)

    refitted = refit(checks)

    before, after = (
        told_right(OnnxEngine(root / name), others)
        for name in (trained.card.version, refitted.card.version)
    )
    assert after == 1
    assert after > before
    assert refitted.verdict.passed, refitted.verdict.reasons()


def test_labels_that_were_turned_round_are_refused(refit, tmp_path):
    turned = drawn_examples(tmp_path / "turned", ["stripes", "rings"])

    verdict = refit(turned).verdict

    assert not verdict.passed
    assert "base accuracy" in [check.name for check in verdict.checks if not check.passed]


def test_the_candidate_is_a_version_like_any_other(root, trained, refit, checks):
    card = refit(checks).card

    assert load_version(root / card.version) == card
    assert list_versions(root) == sorted([trained.card.version, card.version])
    assert card.labels == trained.card.labels
    assert {"model.onnx", "model.keras", "MODEL_CARD.md"} <= set(card.files)
    page = (root / card.version / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.training["base"]["sha256"] in page
    assert card.training["feedback"]["digest"] in page


def test_keras_and_onnx_agree_on_the_candidate(root, refit, checks):
    from ml.export import check_parity, load_keras_version

    folder = root / refit(checks).card.version
    photos = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)

    check_parity(load_keras_version(folder), (folder / NETWORK).read_bytes(), photos)


def test_what_it_scored_from_features_is_what_it_scores_when_asked(root, trained, refit, checks):
    from ml.evaluation import evaluate
    from ml.examples import in_split

    card = refit(checks).card
    shown = [e for e in read_folder(trained.folder).examples if e.path.name != "broken.png"]

    found = evaluate(OnnxEngine(root / card.version), in_split(shown, "holdout")).for_card()

    assert found["confusion"] == card.scores["confusion"]
    assert found["log_loss"] == pytest.approx(card.scores["log_loss"], abs=0.02)


def test_the_same_photos_give_the_same_heads_whatever_their_order(refit, checks):
    one, other = refit(checks).card, refit(checks[::-1]).card

    assert one.training["head_sha256"] == other.training["head_sha256"]
    assert one.data["digest"] == other.data["digest"]
    assert one.version != other.version


def test_the_digest_is_known_beforehand(root, trained, refit, checks):
    digest = refit_digest(root, trained.card.version, checks)

    card = refit(checks).card

    assert card.data["digest"] == digest
    # Nothing new was said since: nothing to learn, whichever of the two answers.
    assert refit_digest(root, card.version, checks) == digest
    assert refit_digest(root, trained.card.version, checks[1:]) != digest


def test_a_photo_that_is_taken_back_leaves_no_trace(root, refit, cache, checks, tmp_path):
    poison = drawn_examples(tmp_path / "poison", ["stripes"], kinds=["checks"], start=5000)
    never = refit(checks).card

    with_it = refit([*checks, *poison]).card
    again = refit_version(root, with_it.version, checks, cache=cache).card

    assert with_it.training["head_sha256"] != never.training["head_sha256"]
    assert again.training["head_sha256"] == never.training["head_sha256"]
    assert again.training["base"] == never.training["base"]


def test_photos_that_versions_are_judged_by_are_left_out(trained, refit, checks):
    judged = [e for e in read_folder(trained.folder).examples if e.split == "holdout"]
    said = []

    card = refit([*checks, *judged], say=said.append).card

    assert any("versions are judged by" in line for line in said)
    assert card.training["head_sha256"] == refit(checks).card.training["head_sha256"]


def test_what_cannot_be_learnt_is_left_out_and_said(refit, checks, tmp_path):
    gone = replace(checks[0], path=tmp_path / "gone")
    twice = [checks[1], replace(checks[1], label="stripes")]
    foreign = replace(checks[2], label="otter")
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    unreadable = replace(checks[3], path=broken, sha256="ab" * 32)
    said = []

    card = refit([gone, *twice, foreign, unreadable, *checks[4:]], say=said.append).card

    told = "\n".join(said)
    for why in ("its file is gone", "two labels", "label 'otter'", "abababababab"):
        assert why in told
    counted = card.training["feedback"]["counts"]
    assert sum(sum(row.values()) for row in counted.values()) == len(checks) - 4


def test_a_photo_sent_twice_counts_once(refit, checks):
    assert (
        refit([*checks, *checks]).card.training["head_sha256"]
        == refit(checks).card.training["head_sha256"]
    )


@pytest.mark.parametrize("chosen", [lambda e: [], lambda e: [replace(e[0], label="otter")]])
def test_with_nothing_to_learn_from_it_says_what_to_do(refit, root, checks, chosen):
    with pytest.raises(RefitError, match="Approve some more"):
        refit(chosen(checks))

    assert not leftovers(root)


def test_photos_that_all_fall_to_the_judges_teach_nothing(refit, checks):
    with pytest.raises(RefitError, match="train split"):
        refit([e for e in checks if e.split != "train"])


def test_progress_rises_and_is_told_in_words(refit, checks):
    told = []

    refit(checks, step=lambda done, words: told.append((done, words)))

    shares = [done for done, _ in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] > 0.9
    assert all(words for _, words in told)
    assert len(told) > 10


class Stop(Exception):
    """What a person's click on "cancel" becomes."""


@pytest.mark.parametrize("when", [0.0, 0.3, 0.5, 0.7, 0.85, 0.9, 0.98])
def test_whoever_stops_it_finds_nothing_half_written(refit, root, trained, checks, when, tmp_path):
    def stop(done, _words):
        if done >= when:
            raise Stop

    with pytest.raises(Stop):
        refit(checks, step=stop)

    assert list_versions(root) == [trained.card.version]
    assert not leftovers(root)


def test_an_order_to_stop_is_no_failure_whatever_its_kind(refit, checks):
    def stop(_done, _words):
        raise ValueError("a person said stop")

    with pytest.raises(ValueError, match="a person said stop"):
        refit(checks, step=stop)


def test_a_full_disk_leaves_nothing_behind(refit, root, trained, checks, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(refitting, "save_version", full)

    with pytest.raises(RefitError, match="No space left"):
        refit(checks)

    assert list_versions(root) == [trained.card.version]
    assert not leftovers(root)


def test_a_name_taken_in_the_meantime_is_said(refit, root, trained, checks):
    def take(done, _words):
        if done >= 0.98:
            for number in range(1, 9):
                folder = root / f"{trained.card.version.rsplit('.', 1)[0]}.{number}"
                folder.mkdir(exist_ok=True)
                (folder / "taken").touch()

    with pytest.raises(RefitError, match="start again"):
        refit(checks, step=take)


def test_a_live_version_that_was_tampered_with_is_refused(refit, root, trained, checks):
    network = root / trained.card.version / NETWORK
    network.write_bytes(network.read_bytes()[:-1])

    with pytest.raises(RefitError, match=r"model\.onnx is not the file"):
        refit(checks)


def test_without_its_base_it_says_how_to_make_one(refit, root, trained, checks):
    shutil.rmtree(root / BASES)

    with pytest.raises(RefitError, match=f"ml base --version {trained.card.version} --data DIR"):
        refit(checks)
    with pytest.raises(RefitError, match="python -m ml base"):
        refit_digest(root, trained.card.version, checks)


def test_a_base_that_was_tampered_with_is_refused(refit, root, checks):
    (path,) = (root / BASES).glob("*.npz")
    content = bytearray(path.read_bytes())
    content[-300] ^= 1
    path.write_bytes(content)

    with pytest.raises(RefitError, match="base"):
        refit(checks)


def test_features_that_are_no_numbers_are_refused(root, trained, checks, tmp_path):
    cache, key = FeatureCache(tmp_path), f"{trained.card.training['backbone_sha256']}:"
    key += f"{trained.card.preprocessing}:plain"
    nothing = np.full(1280, np.nan, np.float32)
    cache.put((key, example.sha256, 48, 48, nothing) for example in checks)

    with pytest.raises(RefitError, match="not finite"):
        refit_version(root, trained.card.version, checks, cache=tmp_path)
    assert list_versions(root) == [trained.card.version]


def test_a_live_version_that_answers_nonsense_is_told(root, trained, checks, cache):
    """Its file is the one that was saved: it was saved with numbers that are none."""
    from ml.registry import save_version

    folder = root / trained.card.version
    head = read_head((folder / NETWORK).read_bytes())
    broken = replace(head, bias=np.full_like(head.bias, np.inf))
    files = {NETWORK: with_head((folder / NETWORK).read_bytes(), broken)}
    save_version(root, replace(trained.card, version="broken"), files)

    with pytest.raises(RefitError, match="not a finite number"):
        refit_version(root, "broken", checks, cache=cache)
