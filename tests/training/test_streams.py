"""Streams: a batch is a function of its number, a pass holds every item once, labels and masks are right."""

import numpy as np
import pytest

from emobed_tf.corpora.corpus import Modality, Recording
from emobed_tf.errors import InputError

pytestmark = pytest.mark.usefixtures("stack")


def modality(lengths, step=0.04, width=2, label="arousal", name="audio", corpus="recola"):
    """Recordings whose features and labels count their frames: feature 0 is the recording, feature 1 the frame."""
    recordings = []
    for i, frames in enumerate(lengths):
        features = np.stack([np.full(frames, i), np.arange(frames)], axis=1).astype(np.float32)[:, :width]
        values = np.arange(frames, dtype=np.float32) / 100 + i
        recordings.append(Recording(f"train_{i}", "train", f"s{i}", features, {label: values}))
    return Modality(name, ("recording", "frame")[:width], tuple(recordings), step, corpus)


def sequences(source, delay=0.0, edges=(), hop=0.0, seconds=None, task="regression", label="arousal"):
    from emobed_tf.training.streams import training_labels, training_sequences

    labels = training_labels(source, label, delay)
    return training_sequences(source, labels, task=task, edges=np.array(edges), hop=hop, seconds=seconds)


class TestAgreement:
    def rated(self, ratings):
        source = modality([4])
        source.recordings[0].ratings["arousal"] = np.array(ratings, np.float32)
        return source

    def test_by_hand(self):
        from emobed_tf.training.streams import agreement

        # Deviations of two raters are half their distance: 0, 1, 2, 3. Two frames later: 2, 3, 3, 3, on average 2.75.
        source = self.rated([[0, 0], [0, 2], [1, 5], [0, 6]])
        (found,) = agreement(source, "arousal", delay=0.08)
        np.testing.assert_allclose(found, [2.75 / 4.75, *[2.75 / 5.75] * 3], rtol=1e-6)

    def test_of_one_mind(self):
        from emobed_tf.training.streams import agreement

        (found,) = agreement(self.rated([[0, 0], [1, 1], [2, 2], [3, 3]]), "arousal", delay=0)
        assert found.tolist() == [1, 1, 1, 1]

    def test_frames_without_a_label(self):
        from emobed_tf.training.streams import agreement

        # Deviations 0, 1, 2, of the last frame one rater is missing: the mean is over the labelled ones, 0 and 2.
        source = self.rated([[0, 0], [0, 2], [1, 5], [0, np.nan]])
        source.recordings[0].labels["arousal"][1] = np.nan
        (found,) = agreement(source, "arousal", delay=0)
        np.testing.assert_allclose(found, [1, 1 / 2, 1 / 3, 1 / 2], rtol=1e-6)

    @pytest.mark.parametrize("ratings", [None, [[0.0], [1], [2], [3]]])
    def test_needs_two_raters(self, ratings):
        from emobed_tf.training.streams import agreement

        source = modality([4]) if ratings is None else self.rated(ratings)
        with pytest.raises(InputError, match="--disagreement weighed needs what each rater gave .*'audio'"):
            agreement(source, "arousal", delay=0)


class TestSequences:
    def test_labels_are_shifted_back_and_the_last_repeated(self):
        # 0.08 s are two frames: label[t] becomes label[t + 2]; the last three are the last value.
        values = sequences(modality([5]), delay=0.08)
        np.testing.assert_allclose(values.labels[0], [0.02, 0.03, 0.04, 0.04, 0.04], atol=1e-7)

    def test_padding_is_right_and_masked(self):
        values = sequences(modality([3, 5]))
        assert values.mask.tolist() == [[True] * 3 + [False] * 2, [True] * 5]
        assert np.isnan(values.features[0, 3:]).all()
        assert not np.isnan(values.features[0, :3]).any()
        assert values.mined_classes[0, 3:].tolist() == [-1, -1]

    def test_missing_frames_stay_in_the_mask_and_are_not_mined(self):
        source = modality([4])
        source.recordings[0].features[2] = np.nan
        values = sequences(source, edges=[0.015])
        assert values.mask.all()
        # Labels 0, .01, .02, .03 with the edge .015: classes 0, 0, 1, 1; frame 2 is missing.
        assert values.mined_classes.tolist() == [[0, 0, -1, 1]]

    def test_partly_missing_frames_are_mined(self):
        source = modality([4])
        source.recordings[0].features[2, 0] = np.nan
        assert (sequences(source, edges=[0.015]).mined_classes >= 0).all()

    def test_hop(self):
        # Every 0.12 s at 0.04 s a frame: frames 0, 3, 6.
        values = sequences(modality([8]), edges=[0.05], hop=0.12)
        assert values.stride == 3
        assert values.mined_classes.tolist() == [[0, 0, 1]]
        np.testing.assert_allclose(values.mined_times, [[0, 0.12, 0.24]], atol=1e-6)

    def test_pieces(self):
        # 0.2 s are five frames: 12 frames are pieces of 5, 5 and 2; labels were delayed before the cut.
        values = sequences(modality([12]), delay=0.04, seconds=0.2)
        assert values.mask.sum(axis=1).tolist() == [5, 5, 2]
        assert values.features[1, :, 1].tolist() == [5, 6, 7, 8, 9]
        np.testing.assert_allclose(values.labels[1], np.arange(6, 11) / 100, atol=1e-6)
        assert values.mined_times[1, 0] == pytest.approx(0.2)
        assert len(set(values.recording)) == 1

    def test_recordings_have_the_same_number_in_every_modality_of_a_corpus(self):
        audio, video = sequences(modality([3, 4])), sequences(modality([5, 2], name="video"))
        other = sequences(modality([3, 4], corpus="another"))
        assert audio.recording.tolist() == video.recording.tolist()
        assert not set(audio.recording) & set(other.recording)

    def test_frames_without_a_label(self):
        """Labels nan, 1, nan, 3, 4 hundredths one frame earlier are 1, nan, 3, 4, 4."""
        source = modality([5, 3])
        source.recordings[0].labels["arousal"][[0, 2]] = np.nan
        values = sequences(source, delay=0.04, edges=[0.035, 1.015])
        assert values.mask.tolist() == [[True] * 5, [True] * 3 + [False] * 2]
        assert values.labelled.tolist() == [[True, False, True, True, True], [True] * 3 + [False] * 2]
        np.testing.assert_allclose(values.labels[0], [0.01, 0, 0.03, 0.04, 0.04], atol=1e-7)
        assert values.mined_classes.tolist() == [[0, -1, 0, 1, 1], [1, 2, 2, -1, -1]]
        assert values.arrays()["labelled"] is values.labelled

    def test_a_last_frame_without_a_label_is_repeated(self):
        source = modality([4])
        source.recordings[0].labels["arousal"][3] = np.nan
        assert sequences(source, delay=0.08).labelled.tolist() == [[True, False, False, False]]

    def test_where_all_frames_have_a_label_a_batch_is_as_it_was(self):
        values = sequences(modality([5, 3]))
        assert values.labelled is None and "labelled" not in values.arrays()

    def test_a_piece_without_any_label_stays_and_counts_nothing(self):
        source = modality([10])
        source.recordings[0].labels["arousal"][:6] = np.nan
        values = sequences(source, seconds=0.2)
        assert values.mask.all() and values.labelled.sum(axis=1).tolist() == [0, 4]
        assert (values.mined_classes[0] == -1).all()

    def test_utterances(self):
        recordings = tuple(
            Recording(
                f"u{i}", "train", "s", np.full((1, 2), np.nan if i == 1 else i, np.float32), {"emotion": np.int32(i)}
            )
            for i in range(3)
        )
        values = sequences(Modality("face", ("a", "b"), recordings, None, "x"), task="classification", label="emotion")
        assert values.labels.tolist() == [0, 1, 2]
        assert values.mined_classes.tolist() == [[0], [-1], [2]]

    def test_evaluation_keeps_labels_as_they_are(self):
        from emobed_tf.training.streams import evaluation_sequences

        source = modality([4])
        np.testing.assert_allclose(evaluation_sequences(source, "train", "arousal").labels[0], np.arange(4) / 100)
        with pytest.raises(InputError, match="no recording of partition 'dev'"):
            evaluation_sequences(source, "dev", "arousal")


class TestClassEdges:
    def test_halves_and_thirds(self):
        from emobed_tf.training.streams import class_edges

        values = [np.array([4.0, 1.0]), np.array([3.0, 2.0, 6.0, 5.0])]
        assert class_edges(values, 2).tolist() == [3.5]
        # np.quantile's linear rule on 1..6: position 5/3 -> 2.667, position 10/3 -> 4.333; two values in each class.
        np.testing.assert_allclose(class_edges(values, 3), [8 / 3, 13 / 3])

    def test_too_few_values(self):
        from emobed_tf.training.streams import class_edges

        with pytest.raises(InputError, match="too few distinct values for --bins 3"):
            class_edges([np.array([0.0, 0.0, 0.0, 1.0])], 3)


class TestStream:
    def numbers(self, dataset, count):
        return [batch["features"][:, 0, 0].numpy().astype(int).tolist() for batch in dataset.take(count)]

    def test_a_pass_holds_every_item_once(self):
        from emobed_tf.training.streams import stream

        found = sum(self.numbers(stream(sequences(modality([2] * 10)), 5, seed=3), 6), [])
        for k in range(3):
            assert sorted(found[10 * k : 10 * k + 10]) == list(range(10))
        assert len({tuple(found[10 * k : 10 * k + 10]) for k in range(3)}) == 3, "each pass has an order of its own"

    def test_batches_wrap_round(self):
        from emobed_tf.training.streams import stream

        found = self.numbers(stream(sequences(modality([2] * 9)), 4, seed=0), 9)
        assert {len(batch) for batch in found} == {4}
        flat = sum(found, [])
        for k in range(4):
            assert sorted(flat[9 * k : 9 * k + 9]) == list(range(9))

    @pytest.mark.parametrize("first", [1, 7, 1000])
    def test_any_batch_can_be_the_first(self, first):
        from emobed_tf.training.streams import stream

        values = sequences(modality([2] * 9))
        whole = stream(values, 4, seed=5).skip(first)
        assert self.numbers(stream(values, 4, seed=5, first=first), 5) == self.numbers(whole, 5)

    @pytest.mark.parametrize(("first", "steps"), [(0, 3), (6, 3), (5, 64)])
    def test_several_at_a_time_are_the_same_batches_stacked(self, first, steps):
        from emobed_tf.training.streams import stream

        values = sequences(modality([2] * 9))
        stacked = list(stream(values, 4, 5, first, steps).take(2))
        one_by_one = list(stream(values, 4, 5, first).take(2 * steps))
        for name in values.arrays():
            for k, batches in enumerate(stacked):
                expected = np.stack([batch[name] for batch in one_by_one[k * steps : (k + 1) * steps]])
                np.testing.assert_array_equal(batches[name], expected)

    def test_seeds_and_modalities_have_their_own_order(self):
        from emobed_tf.training.streams import stream

        audio, video = (sequences(modality([2] * 20, name=name)) for name in ("audio", "video"))
        orders = [self.numbers(stream(s, 20, seed), 1) for s in (audio, video) for seed in (0, 1)]
        assert len({str(order) for order in orders}) == 4

    def test_unpaired_lengths_and_numbers(self):
        from emobed_tf.training.streams import stream, unpaired

        audio, video = sequences(modality([6, 3, 5])), sequences(modality([9, 2], name="video"))
        batch = next(iter(unpaired({"audio": stream(audio, 3, 0), "video": stream(video, 3, 0)})))
        assert batch["audio"]["features"].shape == (3, 6, 2)
        assert batch["video"]["features"].shape == (2, 9, 2)

    def test_a_single_item(self):
        from emobed_tf.training.streams import stream

        assert self.numbers(stream(sequences(modality([2])), 4, seed=0), 3) == [[0], [0], [0]]

    def test_in_order_fills_the_last_batch_with_padding(self):
        from emobed_tf.training.streams import in_order

        batches = in_order(sequences(modality([2] * 5)), 3)["audio"]
        assert batches["features"].shape == (2, 3, 2, 2)
        assert batches["mask"].numpy().any(axis=2).tolist() == [[True, True, True], [True, True, False]]
        assert batches["features"][1, :2, 0, 0].numpy().tolist() == [3, 4]

    def test_in_order_has_every_array(self):
        from emobed_tf.training.streams import in_order

        values = sequences(modality([2] * 6))
        found = in_order(values, 3)["audio"]
        assert found.keys() == set(values.arrays())
        for name, batches in found.items():
            np.testing.assert_array_equal(np.concatenate(batches), values.arrays()[name])


class TestMeanBins:
    def test_the_class_of_a_series_is_the_bin_of_its_mean(self):
        from emobed_tf.training.streams import NOT_MINED, mean_bins

        # Labels i, i + .01, ... of recording i: means .015, 1.005, 2; the last frame of the second has no label, so
        # that its mean is 1; the fourth has none at all.
        source = modality([4, 3, 1, 2])
        source.recordings[1].labels["arousal"][:] = [1, 1, np.nan]
        source.recordings[3].labels["arousal"][:] = np.nan
        assert mean_bins(sequences(source), np.array([1.0])).tolist() == [0, 1, 1, NOT_MINED]
        assert mean_bins(sequences(source), np.array([0.01, 1.5])).tolist() == [1, 1, 2, NOT_MINED]
        whole = sequences(modality([4, 3]))  # without gaps there is no array of what is labelled
        assert mean_bins(whole, np.array([0.5])).tolist() == [0, 1]


class TestGaps:
    def test_edges_are_of_the_labels_that_there_are(self):
        from emobed_tf.training.streams import class_edges

        # The median of 1 2 3 4 is 2.5.
        nan = np.float32(np.nan)
        assert class_edges([np.array([nan, 4, 1]), np.array([3, nan, 2])], 2).tolist() == [2.5]
        with pytest.raises(InputError, match="no training label"):
            class_edges([np.array([nan, nan])], 2)

    def test_a_recording_of_nothing_but_gaps_is_not_evaluated(self):
        from emobed_tf.training.streams import evaluation_sequences

        source = modality([4, 3])
        source.recordings[0].labels["arousal"][:] = np.nan
        source.recordings[1].labels["arousal"][1] = np.nan
        values = evaluation_sequences(source, "train", "arousal")
        assert values.labelled.tolist() == [[True, False, True]]
        source.recordings[1].labels["arousal"][:] = np.nan
        with pytest.raises(InputError, match="no recording of partition 'train' has the label 'arousal'"):
            evaluation_sequences(source, "train", "arousal")

    def test_batches_filled_up_have_no_labels_there(self):
        from emobed_tf.training.streams import evaluation_sequences, in_order

        source = modality([4, 4, 4])
        source.recordings[0].labels["arousal"][0] = np.nan
        batches = in_order(evaluation_sequences(source, "train", "arousal"), 2)["audio"]
        assert batches["labelled"].numpy().sum(axis=(1, 2)).tolist() == [7, 4]
