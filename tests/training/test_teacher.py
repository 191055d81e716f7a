"""Distillation: what a teacher is trained on, what it hands on, and what a student makes of it."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.corpora.corpus import CLASSIFICATION, Recording
from emobed_tf.errors import InputError
from emobed_tf.training.session import Session
from tests.systems.baselines.constructed import modality, problem, utterances
from tests.training.test_loop import assert_equal_weights, weights

pytestmark = pytest.mark.usefixtures("stack")

FRAMES = {"train_0": 6, "train_1": 5, "train_2": 3, "dev_0": 6, "dev_1": 4}


def of_frames(lacking=(), **settings):
    """Audio at 10 Hz, whose arousal the face shows at 5 Hz, where it isn't lacking."""
    rng, audio, face = np.random.default_rng(0), [], []
    for name, frames in FRAMES.items():
        hidden = rng.normal(size=frames).astype(np.float32)
        noisy = (hidden[:, None] + rng.normal(size=(frames, 2))).astype(np.float32)
        partition = name.partition("_")[0]
        audio.append(Recording(name, partition, name, noisy, {"arousal": hidden}))
        if name not in lacking:
            face.append(Recording(name, partition, name, hidden[::2, None], {"arousal": hidden[::2]}))
    modalities = {"audio": modality("audio", audio, 0.1), "face": modality("face", face, 0.2)}
    return problem(modalities, framework="distilled", batch_size=2, hop=0.2, **settings)


def of_classes(n=24, **settings):
    """Utterances of two classes, which the face tells apart and the audio hardly."""
    rng, audio, face = np.random.default_rng(1), {}, {}
    for partition in ("train", "dev"):
        labels = np.arange(n) % 2
        audio[partition] = ((labels[:, None] + 2 * rng.normal(size=(n, 3))).astype(np.float32), labels)
        face[partition] = ((3 * labels[:, None] + rng.normal(size=(n, 2))).astype(np.float32), labels)
    both = {
        "audio": utterances("audio", audio, task=CLASSIFICATION),
        "face": utterances("face", face, task="classification"),
    }
    return problem(both, CLASSIFICATION, classes=("a", "b"), framework="distilled", batch_size=8, **settings)


def trained(given, **more):
    from emobed_tf.training.loop import train

    return train(given.config, given.corpus, **more)


class TestPlan:
    def test_sees_what_is_paired_and_no_test(self):
        from emobed_tf.training.teacher import plan_teacher

        given = of_frames(lacking=("train_1", "dev_0"))
        teacher = plan_teacher(given.config, given.corpus)
        (joined,) = teacher.corpus.modalities.values()
        assert [r.id for r in joined.recordings] == ["train_0", "train_2", "dev_1"]
        assert joined.feature_names == ("audio:audio0", "audio:audio1", "face:face0")
        assert (teacher.config.data.target, teacher.config.objective.framework) == ("audio_face", "classic")
        assert teacher.config.training == given.config.training

    def test_takes_as_many_steps_as_its_student(self):
        """24 utterances in batches of 8, of which 6 are paired: 3 steps and not 1; with the target's, 1."""
        from emobed_tf.training.loop import train
        from emobed_tf.training.teacher import plan_teacher

        given = of_classes(epochs=2)
        face = given.corpus.modality("face")
        paired = tuple(r for r in face.recordings if r.partition == "dev" or int(r.id.removeprefix("train_u")) < 6)
        modalities = {**given.corpus.modalities, "face": dataclasses.replace(face, recordings=paired)}
        corpus = dataclasses.replace(given.corpus, modalities=modalities)
        config = given.config.replace(steps_per_epoch=None)
        for settings, steps in (({}, [3, 6]), ({"steps_per_epoch": 5}, [5, 10]), ({"epoch": "target"}, [1, 2])):
            teacher = plan_teacher(config.replace(**settings), corpus)
            found = train(teacher.config, teacher.corpus, design=teacher.design)
            assert [row["steps"] for row in found.history] == steps

    @pytest.mark.parametrize("partition", ["train", "dev"])
    def test_nothing_paired(self, partition):
        from emobed_tf.training.teacher import plan_teacher

        given = of_frames(lacking=[name for name in FRAMES if name.startswith(partition)])
        with pytest.raises(
            InputError, match=f"no labelled recording of partition '{partition}' is in all of audio, face"
        ):
            plan_teacher(given.config, given.corpus)

    def test_another_label_is_another_teacher(self):
        from emobed_tf.training.teacher import plan_teacher

        given = of_frames()
        same, other = of_frames(), of_frames()
        other.modality.recordings[0].labels["arousal"][0] += 1
        keys = [plan_teacher(one.config, one.corpus).key for one in (given, same, other)]
        assert keys[0] == keys[1] != keys[2]


class TestLessons:
    def test_frames_by_hand(self):
        """Pieces of .3 s, a mined frame each .2 s: frames 0 and 2 of each piece. The second recording is unknown."""
        from emobed_tf.training.teacher import lessons

        given = of_frames(sequence_seconds=0.3)
        said = {name: np.zeros((FRAMES[name], 3), np.float32) for name in ("train_0", "train_2")}
        said["train_0"][:] = [[k, 10 + k, 100 + k] for k in range(6)]
        found = lessons(given.config, given.corpus, said, 2)
        # Pieces: frames 0 to 2 and 3 to 5 of the first, 0 to 2 and 3 to 4 of the second, all of the third.
        assert found.taught.tolist() == [True, True, False, False, True]
        assert found.soft_targets[:2].tolist() == [[100, 101, 102], [103, 104, 105]]
        assert found.embeddings.shape == (5, 2, 2)
        assert found.embeddings[1].tolist() == [[3, 13], [5, 15]]
        again = type(found).from_arrays(found.arrays())
        assert all(np.array_equal(again.arrays()[name], values) for name, values in found.arrays().items())

    def test_classes_by_hand(self):
        from emobed_tf.training.teacher import lessons

        given = of_classes(n=3)
        said = {"train_u1": np.array([1, 2, 3, 0.5, -0.5], np.float32)}
        found = lessons(given.config, given.corpus, said, 3)
        assert found.taught.tolist() == [False, True, False]
        assert found.soft_targets[1].tolist() == [0.5, -0.5]
        assert found.embeddings[1].tolist() == [[1, 2, 3]]

    def test_are_what_the_fusion_says(self):
        """The teacher is early fusion with the student's settings: as a system, it says the same."""
        from emobed_tf.systems.registry import find_system
        from emobed_tf.training.loop import lessons_for

        given = of_classes(seed=3)
        fusion = find_system("early")()
        fusion.fit(dataclasses.replace(given, config=given.config.replace(framework="joint")), {}, 3)
        found = lessons_for(given.config, given.corpus)
        assert found.taught.all()
        odds = np.exp(found.soft_targets - found.soft_targets.max(axis=1, keepdims=True))
        expected = fusion.predict(given.recordings("train"))
        np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), expected, atol=1e-6)


class TestStudent:
    @pytest.mark.parametrize("make", [of_frames, of_classes])
    def test_what_weighs_nothing_changes_nothing(self, make):
        given = make(teacher_weight=0.0, teacher_embedding_weight=0.0)
        usual = {"framework": "classic", "auxiliary": (), "teacher_weight": 1.0, "teacher_embedding_weight": 1.0}
        classic = trained(dataclasses.replace(given, config=given.config.replace(**usual)))
        student = trained(given)
        assert_equal_weights(classic.weights, student.weights)
        assert classic.parameters == student.parameters
        assert {"soft_targets", "embedding_distance"} <= student.history[0].keys() - classic.history[0].keys()

    def test_follows_its_teacher(self):
        from emobed_tf.training.loop import lessons_for

        given, apart = of_classes(epochs=20, learning_rate=0.01), {}
        taught = lessons_for(given.config, given.corpus)
        for weight in (0.0, 30.0):
            config = given.config.replace(teacher_weight=weight, teacher_embedding_weight=weight)
            last = trained(dataclasses.replace(given, config=config), taught=taught).history[-1]
            apart[weight] = last["soft_targets"], last["embedding_distance"]
        assert apart[30.0][0] < 0.5 * apart[0.0][0]
        assert apart[30.0][1] < 0.5 * apart[0.0][1]

    @pytest.mark.parametrize("teacher", ["early", "model_level"])
    @pytest.mark.parametrize("sharing", ["head", "trunk"])
    def test_some_recordings_alone(self, teacher, sharing):
        given = of_frames(lacking=("train_1",), teacher=teacher, sharing=sharing, sequence_seconds=0.3)
        found = trained(given)
        assert np.isfinite(found.score)
        assert ("embedding_distance" in found.history[0]) == (teacher == "early")

    def test_a_teacher_is_trained_once_in_a_session(self, monkeypatch):
        from emobed_tf.training import loop

        began, prepare = [], loop.prepare
        monkeypatch.setattr(loop, "prepare", lambda c, *a, **k: (began.append(c.data.target), prepare(c, *a, **k))[1])
        given = of_classes()
        with Session() as session:
            for weight in (0.5, 1.0):
                config = given.config.replace(teacher_weight=weight)
                trained(dataclasses.replace(given, config=config), session=session)
        assert began == ["audio_face", "audio", "audio"]


class TestRun:
    def test_continues_without_its_teacher(self, monkeypatch, tmp_path):
        """And stands alone afterwards: one modality in, as a classic run."""
        from emobed_tf.runs.scoring import load_model
        from emobed_tf.training import loop

        given = of_classes(diagnostics=2)
        with Session() as session:
            whole = loop.train_run(given.config, tmp_path / "whole", corpus=given.corpus, session=session)
            short = given.config.replace(epochs=2)
            loop.train_run(short, tmp_path / "short", corpus=given.corpus, session=session)
        monkeypatch.setattr(loop, "plan_teacher", lambda *_: pytest.fail("the teacher was trained again"))
        with Session() as new:
            again = loop.train_run(given.config, tmp_path / "short", corpus=given.corpus, resume=True, session=new)
        assert_equal_weights(weights(whole), weights(again))
        assert list(whole.facts().features) == ["audio"]
        features = given.modality.recordings[0].features[None]
        assert load_model(whole).predict(features, verbose=0).shape == (1, 2)
        (whole.path / "teacher.npz").unlink()  # nothing but a resume reads it
        assert load_model(whole).predict(features, verbose=0).shape == (1, 2)
