import math

import numpy as np
import pytest

from ml.drift import alarm_limit, even_groups, population_stability_index


def test_equal_shares_are_no_drift():
    before, lately = np.array([100, 300, 600]), np.array([1000, 3000, 6000])

    assert population_stability_index(before, lately) == pytest.approx(0, abs=1e-4)


def test_the_index_is_what_the_formula_says():
    before, lately = np.array([49.5, 49.5]), np.array([79.5, 19.5])

    # With half a count more in each bin: halves, then four fifths and one fifth (of 100 each).
    expected = (0.8 - 0.5) * math.log(0.8 / 0.5) + (0.2 - 0.5) * math.log(0.2 / 0.5)
    assert population_stability_index(before, lately) == pytest.approx(expected)


def test_it_is_the_same_in_both_directions():
    one, other = np.array([10, 20, 70]), np.array([30, 30, 40])

    there, back = population_stability_index(one, other), population_stability_index(other, one)

    assert there == pytest.approx(back)
    assert there > 0.1


def test_an_empty_bin_is_finite():
    assert math.isfinite(population_stability_index(np.array([0, 10]), np.array([10, 0])))
    assert population_stability_index(np.array([0, 0]), np.array([0, 0])) == 0


@pytest.mark.parametrize("shapes", [((2,), (3,)), ((0,), (0,))])
def test_different_bins_are_refused(shapes):
    with pytest.raises(ValueError, match="same bins"):
        population_stability_index(*(np.ones(shape) for shape in shapes))


def test_an_unchanged_world_passes_the_limit_once_in_a_thousand_times():
    generator = np.random.default_rng(7)
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    reference = generator.multinomial(1000, shares)
    limit = alarm_limit(reference, 500)

    # The world's shares are not quite the reference's: so both are drawn anew.
    before = generator.multinomial(1000, shares, size=20_000)
    lately = generator.multinomial(500, shares, size=20_000)
    false_alarms = (population_stability_index(before, lately) > limit).mean()

    assert false_alarms == pytest.approx(0.001, abs=0.001)


def test_a_changed_world_passes_it():
    reference = np.array([500, 500])

    lately = np.array([200, 300])

    assert population_stability_index(reference, lately) > alarm_limit(reference, 500)


def test_fewer_photos_make_a_higher_limit():
    reference = np.array([500, 300, 200])
    limits = [alarm_limit(reference, photos) for photos in (50, 500, 5_000, 5_000_000)]

    assert limits == sorted(limits, reverse=True)
    # The reference itself is uncertain, however many photos are compared with it.
    assert limits[-1] > 0.005


def test_the_limit_is_the_same_each_time_and_for_the_same_two_digits():
    reference = np.array([70, 30])

    assert alarm_limit(reference, 1234) == alarm_limit(reference, 1200)
    assert alarm_limit(reference, 99) != alarm_limit(reference, 98)
    assert math.isfinite(alarm_limit(reference, 0))
    assert math.isfinite(alarm_limit(np.array([0, 0]), 3))


def test_groups_hold_about_as_much_each_and_keep_the_order():
    counts = np.full(100, 10)

    group = even_groups(counts)

    assert np.bincount(group, weights=counts).tolist() == [100] * 10
    assert (np.diff(group) >= 0).all()


def test_a_bin_that_holds_much_is_a_group_of_its_own():
    group = even_groups(np.array([1, 1, 1, 900, 97]))

    assert group.tolist() == [0, 0, 0, 1, 2]


def test_no_counts_are_one_group():
    assert even_groups(np.array([0, 0])).tolist() == [0, 0]
