"""Rows on an even grid: what is put in, and what becomes of other rates."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emobed_tf.corpora.grid import recordings_of
from emobed_tf.corpora.tablefile import Table
from emobed_tf.settings import Reading
from tests.corpora.corpus_writers import fails


def table_of(recordings):
    """Recordings by name: pairs of times and values of the one feature; each value is the label `y` as well."""
    ids = [name for name, (times, _) in recordings.items() for _ in times]
    times = np.concatenate([np.asarray(times, float) for times, _ in recordings.values()])
    values = np.concatenate([np.asarray(values, float) for _, values in recordings.values()])
    texts = {"id": np.array(ids, dtype=object)}
    return Table(None, "t", {}, texts, {"time": times, "y": values}, ("f",), values[:, None].astype(np.float32))


def even(recordings, **reading):
    """Step, and by recording its times, feature and label."""
    table, groups, step, notes = recordings_of(table_of(recordings), Reading(**reading), True)
    columns = (table.numbers["time"], table.features[:, 0], table.numbers["y"])
    return step, {name: [column[rows].tolist() for column in columns] for name, rows in groups.items()}, notes


class TestFilling:
    def test_nothing_is_touched_where_nothing_is_missing(self):
        table = table_of({"a": ([0, 1, 2], [5, 6, 7])})
        assert recordings_of(table, Reading(), True)[0] is table

    @settings(max_examples=60)
    @given(
        st.integers(0, 2**32 - 1),
        st.sampled_from((0.04, 0.25, 1 / 30)),
        st.sampled_from((None, 3, 4)),
        st.integers(1, 3),
    )
    def test_brute_force(self, seed, step, decimals, count):
        rng = np.random.default_rng(seed)
        recordings, expected = {}, {}
        for name in "abc"[:count]:
            frames = rng.integers(20, 30)
            gone = rng.choice(np.arange(1, frames - 1), rng.integers(0, 4), replace=False)  # the ends are there
            start = 3 if rng.random() < 0.5 else 0
            times, values = [], []
            for k in range(frames):
                time = start + k * step
                if k not in gone:
                    times.append(time if decimals is None else round(time, decimals))
                    values.append(float(k))
            expected[name] = [np.nan if k in gone else float(k) for k in range(frames)]
            order = rng.permutation(len(times))
            recordings[name] = (np.array(times)[order], np.array(values)[order])
        found_step, found, notes = even(recordings)
        assert found_step == pytest.approx(step, rel=0.005)
        assert bool(notes) == any(np.isnan(values).any() for values in expected.values())
        for name, values in expected.items():
            times, features, labels = found[name]
            np.testing.assert_array_equal(features, values)
            np.testing.assert_array_equal(labels, values)  # a row that is put in has no label
            np.testing.assert_allclose(times, times[0] + step * np.arange(len(values)), atol=step / 10)

    @pytest.mark.parametrize(
        ("times", "words"),
        [
            ([0, 1, 2, 30], ("row 4", "--resample 1 ")),  # more rows missing than there are
            ([0, 1, 2, 3.5], ("row 4", "3.5 s")),
            ([0, 1, 1, 2], ("row 3", "a second time at 1 s")),
            ([0, 1, np.nan, 2], ("row 3", "empty or not finite")),
            ([0, 1, 2, -1e308], ("row 4", "beyond 1e+15 s")),
        ],
    )
    def test_uneven(self, times, words):
        fails(lambda: even({"a": (times, range(len(times)))}), *words)

    def test_another_rate_is_named(self):
        recordings = {"a": (np.arange(9) / 10, range(9)), "b": (np.arange(8) / 5, range(8))}
        message = fails(lambda: even(recordings), "t: row 10", "'b'", "200 ms (5 a second)", "100 ms (10 a second)")
        assert "--resample 0.2" in message


class TestUnit:
    def test_seconds_that_look_like_milliseconds(self):
        for step in (40, 33.3):
            table = table_of({"a": (np.arange(4) * step, range(4))})
            fails(lambda table=table: recordings_of(table, Reading(), False), "--time-unit ms", "--time-unit s")
            assert recordings_of(table, Reading(), True)[2] == pytest.approx(step)
        assert recordings_of(table_of({"a": (np.arange(4) * 4, range(4))}), Reading(), False)[2] == 4


def brute(times, values, seconds):
    """Means over [k, k + 1) steps from the first row; exact as Python's integers for times in milliseconds."""
    start, step = times[0], round(seconds * 1000)
    bins = {}
    for time, value in zip(times, values, strict=True):
        bins.setdefault((time - start) // step, []).append(value)
    return [np.mean(bins[k]) if k in bins else np.nan for k in range((times[-1] - start) // step + 1)]


class TestResampling:
    @settings(max_examples=60)
    @given(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 95)), min_size=4, max_size=40, unique=True),
        st.sampled_from((0.1, 0.25, 0.5, 0.17)),
    )
    def test_means(self, places, seconds):
        # Whether 99.9 ms are 99 or 100 nobody knows: no row is within 4 % of a step from its end.
        step = round(seconds * 1000)
        times = sorted({0, *(k * step + percent * step // 100 for k, percent in places)})
        assume(len(times) > 1 and np.median(np.diff(times)) <= step)
        assume(any(0.2 < time / step % 1 < 0.8 for time in times))  # not a grid of steps that was rounded
        values = [float(value * value % 17) for value in times]
        recordings = {"a": (np.array(times) / 1000, values)}
        step, found, notes = even(recordings, resample=seconds)
        expected = np.array(brute(times, values, seconds))
        assert step == seconds
        assert notes == (f"resampled: means over every {seconds:g} s",)
        np.testing.assert_allclose(found["a"][1], expected, rtol=1e-6)
        np.testing.assert_allclose(found["a"][2], expected)
        np.testing.assert_allclose(found["a"][0], times[0] / 1000 + seconds * np.arange(len(expected)))

    def test_means_leave_out_missing_values(self):
        found = even({"a": ([0, 1, 2, 3], [1, np.nan, np.nan, np.nan])}, resample=2)[1]
        np.testing.assert_array_equal(found["a"][1], [1, np.nan])

    def test_nearest(self):
        # At 0, .4, .8, …, 2.8 the nearest of 0, 1, 2, 3 is 0, 0, 1, 1, 2, 2, 2, 3.
        _, found, notes = even({"a": ([0, 1, 2, 3], [5, 6, 7, 8])}, resample=0.4)
        assert found["a"][1] == [5, 5, 6, 6, 7, 7, 7, 8]
        assert notes == ("resampled: the nearest row for every 0.4 s",)

    def test_nothing_is_repeated_into_a_gap(self):
        found = even({"a": ([0, 1, 2, 8, 9], [5, 6, 7, 8, 9])}, resample=0.5)[1]
        # Times 3 to 7 have no row less than a step of 1 s away.
        expected = [5, 5, 6, 6, 7, 7, *[np.nan] * 9, 8, 8, 8, 9]
        np.testing.assert_array_equal(found["a"][1], expected)
        np.testing.assert_array_equal(found["a"][2], expected)

    @pytest.mark.parametrize("rate", [25, 30, 29.97])
    def test_its_own_rate_changes_nothing_however_times_are_rounded(self, rate):
        frames = np.arange(3000)
        for times in (frames / rate, np.round(frames / rate, 3), np.float32(frames / rate).astype(float)):
            found = even({"a": (times, frames)}, resample=1 / rate)[1]
            np.testing.assert_array_equal(found["a"][1], frames)

    def test_rates_that_differ(self):
        recordings = {"a": ([0, 1, 2, 3], [0, 1, 2, 3]), "b": ([0, 4, 8], [0, 4, 8])}
        _, found, notes = even(recordings, resample=2)
        assert found["a"][1] == [0.5, 2.5]
        assert found["b"][1] == [0, 0, 4, 4, 8]  # halfway, the earlier row
        assert notes == ("resampled: means, or the nearest row (1 recordings), for every 2 s",)

    def test_one_row(self):
        assert even({"a": ([5, 6], [1, 2]), "b": ([7], [3])}, resample=1)[1]["b"] == [[7], [3], [3]]

    def test_too_fine(self):
        fails(lambda: even({"a": ([0, 1], [0, 1])}, resample=1e-9), "--resample 1e-09", "0.01 or more")
