import numpy as np
import pytest

from ml.novelty import extend_novelty, fit_novelty, from_bytes, to_bytes

WIDTH, CLASSES = 16, 1000


def photos(direction, count=200, seed=0):
    """Features that point one way, with noise: photos of one kind."""
    noise = np.random.default_rng(seed).normal(0, 0.2, (count, WIDTH))
    return (np.eye(WIDTH)[direction] * 3 + noise).astype(np.float32)


@pytest.fixture
def imagenet():
    """A head that gives each direction a class of its own."""
    kernel = np.zeros((WIDTH, CLASSES), np.float32)
    kernel[:, :WIDTH] = np.eye(WIDTH) * 4
    return kernel, np.zeros(CLASSES, np.float32)


@pytest.fixture
def measure(imagenet):
    known = np.concatenate([photos(0), photos(1)])
    fresh = np.concatenate([photos(0, seed=1), photos(1, seed=1)])
    return fit_novelty(known, fresh, imagenet, refused=0.05)


def test_known_photos_are_familiar_and_others_are_novel(measure):
    assert np.median(measure(photos(0, seed=2))) < 0.2
    assert measure(photos(5)).min() > 0.9


def test_it_refuses_the_share_of_known_photos_that_was_asked_for(measure):
    fresh = np.concatenate([photos(0, seed=1), photos(1, seed=1)])

    assert (measure(fresh) > 0.5).mean() == pytest.approx(0.05, abs=0.005)


def test_novelty_is_between_0_and_1_whatever_comes(measure):
    extremes = np.array([np.zeros(WIDTH), np.full(WIDTH, 1e4), np.full(WIDTH, -1e4)], np.float32)

    novelty = measure(extremes)

    assert ((novelty >= 0) & (novelty <= 1)).all()


def test_it_finds_the_familiar_classes_by_itself(measure):
    assert (measure.familiar[[0, 1]] > 0.9).all()
    assert (measure.familiar[2:] < 0.5).all()


def test_what_is_stored_measures_the_same(measure):
    again = from_bytes(to_bytes(measure))

    assert np.array_equal(again(photos(3)), measure(photos(3)))


def test_the_same_photos_and_seed_give_the_same_bytes(imagenet):
    one, two = (
        to_bytes(fit_novelty(photos(0), photos(0, seed=1), imagenet, seed=3)) for _ in range(2)
    )

    assert one == two


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", to_bytes.__doc__.encode()])
def test_something_else_is_refused(content):
    with pytest.raises(ValueError, match="no measure of novelty"):
        from_bytes(content)


def test_a_pickle_is_never_opened(tmp_path):
    np.savez(tmp_path / "evil.npz", kernel=np.array([object()], dtype=object))

    with pytest.raises(ValueError, match="no measure of novelty"):
        from_bytes((tmp_path / "evil.npz").read_bytes())


def taught(measure, known, approved=(), strangers=(), **changes):
    options = {"more_calibration": none(), "num_train": 300, "weight": 3.0, "refused": 0.01}
    approved, strangers = (np.array(each).reshape(-1, WIDTH) for each in (approved, strangers))
    return extend_novelty(
        measure, measure.look(known), approved, strangers, **{**options, **changes}
    )


def none():
    return np.zeros((0, WIDTH), np.float32)


@pytest.fixture
def clouds(imagenet):
    """A measure of photos of one direction, others of these, and photos of two more."""
    known = photos(0, seed=1)
    measure = fit_novelty(photos(0, 300), known, imagenet)
    return measure, known, photos(1, 40), photos(2, 40)


def test_taught_nothing_it_stays_what_it_was(clouds):
    measure, known, approved, _ = clouds

    again = taught(measure, known)

    assert np.array_equal(again(approved), measure(approved))
    assert to_bytes(again) == to_bytes(measure)


def test_approved_photos_make_others_like_them_familiar(clouds):
    measure, known, approved, elsewhere = clouds
    assert (measure(approved) > 0.5).all()

    again = taught(measure, known, approved[:20])

    assert (again(approved[20:]) < 0.5).mean() > 0.7
    assert (again(elsewhere) > 0.5).all()
    assert (again(known) > 0.5).mean() <= 0.011


def test_one_approved_photo_makes_nothing_familiar(clouds):
    measure, known, approved, _ = clouds

    again = taught(measure, known, approved[:1])

    assert (again(approved[1:]) > 0.5).all()


def test_photos_like_a_known_stranger_become_more_novel(clouds):
    measure, known, approved, elsewhere = clouds
    familiar = taught(measure, known, approved)

    again = taught(measure, known, approved, elsewhere[:20])

    before, after = (
        each.sums(each.look(elsewhere[20:])) - each.limit for each in (familiar, again)
    )
    assert (after > before).all()
    assert (again(known) > 0.5).mean() <= 0.011
    assert (again(approved) < 0.5).mean() > 0.9


def test_what_was_taught_survives_its_file(clouds):
    measure, known, approved, elsewhere = clouds
    again = taught(measure, known, approved, elsewhere)

    read = from_bytes(to_bytes(again))

    assert np.allclose(read(elsewhere), again(elsewhere))
    assert read.sha256 == again.sha256 == measure.sha256


def test_a_file_from_before_there_was_teaching_is_read(clouds):
    measure, known, *_ = clouds

    read = from_bytes(to_bytes(measure))

    assert read.approved is None
    assert read.strangers is None
    assert np.allclose(read(known), measure(known))
