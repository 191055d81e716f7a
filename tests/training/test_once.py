"""A training that is asked for twice: trained once, the same bits, and never taken for another one."""

import dataclasses
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from emobed_tf.corpora.corpus import REGRESSION, Recording
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.systems.base import Problem
from emobed_tf.training.session import Session
from tests.systems.baselines.constructed import modality, problem
from tests.training.test_loop_waveforms import loaded, tables  # noqa: F401 - a fixture


@dataclasses.dataclass
class Found:
    """What a training leaves, as far as it is looked at."""

    config: object = None
    weights: dict = dataclasses.field(default_factory=dict)
    history: list = dataclasses.field(default_factory=list)
    times: list = dataclasses.field(default_factory=list)


pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def utterances(**settings):
    """Audio and face of 12 utterances, rated by three raters."""
    rng = np.random.default_rng(0)

    def one(name, k):
        ratings = {"arousal": rng.normal(size=(1, 3)).astype(np.float32)}
        labels = {"arousal": ratings["arousal"].mean(axis=1)}
        partition = ("train", "train", "dev")[k % 3]
        return Recording(f"{name}{k}", partition, f"s{k}", rng.normal(size=(1, 2)).astype(np.float32), labels, ratings)

    both = {name: modality(name, [one(name, k) for k in range(12)]) for name in ("audio", "face")}
    return problem(both, REGRESSION, **{"batch_size": 4, "epochs": 2, "framework": "emobed", **settings})


@pytest.fixture
def session():
    with Session() as session:
        yield session


@pytest.fixture
def trainings(monkeypatch):
    """Configurations that would be trained, in their order; nothing is."""
    from emobed_tf.training import loop

    found = []
    monkeypatch.setattr(loop, "train", lambda config, *_, **__: found.append(config) or Found())
    return found


def once(given, session, **more):
    from emobed_tf.training.once import train_once

    return train_once(given.config, given.corpus, session=session, **more)


def changed(given, name, what):
    """The problem with the first training recording of a modality changed."""
    part = given.corpus.modality(name)
    first, *rest = part.recordings
    return given.with_modality(dataclasses.replace(part, recordings=(what(first), *rest)))


def test_equal_trainings_are_one_and_have_the_bits_of_two(session):
    given = utterances()
    first = once(given, session)
    assert session.seconds_saved == 0
    again = once(utterances(), session)
    assert session.seconds_saved > first.seconds
    assert all(again.weights[name] is values for name, values in first.weights.items())
    with Session() as another:
        anew = once(given, another)
    assert not any(anew.weights[name] is values for name, values in first.weights.items())
    assert (anew.score, anew.history) == (first.score, first.history)
    recordings = given.recordings("dev")["audio"]
    for one, other in zip(anew.outputs(recordings), first.outputs(recordings), strict=True):
        np.testing.assert_array_equal(one, other)
    # What one does with it is not seen by the next.
    with pytest.raises(ValueError, match="read-only"):
        next(iter(again.weights.values()))[...] = 0
    again.history.clear()
    again.times[0]["seconds"] = None
    assert once(given, session).history == first.history
    assert once(given, session).times == first.times


def louder(recording):
    return dataclasses.replace(recording, features=recording.features + np.float32(0.1))


def calmer(recording):
    return dataclasses.replace(recording, labels={"arousal": recording.labels["arousal"] - np.float32(0.1)})


def disagreed(recording):
    return dataclasses.replace(recording, ratings={"arousal": recording.ratings["arousal"] * np.float32(2)})


def renamed(recording):
    return dataclasses.replace(recording, labels={"valence": recording.labels["arousal"]})


def of_another_corpus(given):
    """Whose name decides which pieces of a long recording are drawn."""
    return given.with_modality(dataclasses.replace(given.modality, corpus="another"))


@pytest.mark.parametrize(
    "another",
    [
        lambda: utterances(seed=1),
        lambda: utterances(epochs=3),
        lambda: utterances(l2=0.01),
        lambda: changed(utterances(), "audio", louder),
        lambda: changed(utterances(), "audio", calmer),
        lambda: changed(utterances(), "audio", disagreed),
        lambda: changed(utterances(), "face", louder),
        lambda: changed(utterances(), "audio", lambda r: dataclasses.replace(r, partition="dev")),
        lambda: changed(utterances(), "audio", renamed),
        lambda: changed(utterances(), "audio", lambda r: dataclasses.replace(r, labels={}, ratings=r.labels)),
        lambda: changed(utterances(), "audio", lambda r: dataclasses.replace(r, features=r.features.reshape(2, 1))),
        lambda: of_another_corpus(utterances()),
    ],
    ids=[
        "seed",
        "epochs",
        "l2",
        "features",
        "labels",
        "ratings",
        "auxiliary",
        "partition",
        "name of a label",
        "rating, not label",
        "shape",
        "corpus",
    ],
)
def test_another_training_is_not_taken_for_it(session, trainings, another):
    once(utterances(), session)
    once(another(), session)
    assert len(trainings) == 2


def test_another_network_is_not_taken_for_it(session, trainings):
    from emobed_tf.models.design import Design

    given = utterances(framework="classic", alpha=0.0, beta=0.0)
    once(given, session)
    once(given, session, design=Design(parts=(("first", 1), ("second", 1))))
    assert len(trainings) == 2


def test_classic_is_the_same_whatever_the_auxiliary(session, trainings):
    given = utterances(framework="classic", alpha=0.0, beta=0.0)
    once(given, session)
    once(changed(given, "face", louder), session)
    assert len(trainings) == 1


def test_steps_are_the_same_however_they_are_told(session, trainings):
    """Eight utterances in batches of 4 are 2 steps, whether that is said or not; 3 are others."""
    given = utterances(framework="classic", alpha=0.0, beta=0.0)
    for steps in (2, None, 2, 3):
        config = given.config.replace(steps_per_epoch=steps)
        assert once(SimpleNamespace(config=config, corpus=given.corpus), session).config == config
    assert len(trainings) == 2


def test_a_student_is_trained_anew(session, trainings):
    """What its teacher saw is in no key."""
    given = utterances(framework="distilled", alpha=0.0, beta=0.0)
    once(given, session)
    once(given, session)
    assert len(trainings) == 2


def test_test_recordings_do_not_count(session, trainings):
    """They are in no training; the final fit of a choice has a corpus with them."""
    given = utterances()
    tested = changed(given, "audio", lambda r: dataclasses.replace(r, partition="test"))
    once(tested, session)
    once(tested.without_test(), session)
    assert len(trainings) == 1


def test_warns_again(session, monkeypatch):
    from emobed_tf.training import loop

    def doubtful(*_, **__):
        warnings.warn("that may be wrong", EmoBedWarning, stacklevel=1)
        return Found()

    monkeypatch.setattr(loop, "train", doubtful)
    for _ in range(3):
        with pytest.warns(EmoBedWarning, match="that may be wrong") as caught:
            once(utterances(), session)
        assert len(caught) == 1


def test_what_failed_is_tried_again_and_its_warnings_are_heard(session, monkeypatch):
    from emobed_tf.training import loop

    tried = []

    def fails(config, *_, **__):
        tried.append(config)
        warnings.warn("the embedding has shrunk", EmoBedWarning, stacklevel=1)
        raise InputError("the loss became nan")

    monkeypatch.setattr(loop, "train", fails)
    for _ in range(2):
        with pytest.raises(InputError, match="became nan"), pytest.warns(EmoBedWarning, match="has shrunk"):
            once(utterances(), session)
    assert len(tried) == 2


def test_a_waveform_is_trained_anew(session, trainings, tables):  # noqa: F811
    given = Problem(*loaded(tables, "logmel"))
    once(given, session)
    once(given, session)
    assert len(trainings) == 2
