"""Sessions: a compiled step for each shape, nothing left of the training before, and nothing hidden in the process."""

import ast
import dataclasses
import gc
import json
import subprocess
import sys
import weakref
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import emobed_tf
from emobed_tf.training.session import Session, default_session
from tests.conftest import ROOT
from tests.training.test_loop import assert_equal_weights, settings, weights

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]

# What TensorFlow builds anew for a training stays in memory, a megabyte at least: 24 MB of 24 trainings.
TRAININGS = """
import json
from emobed_tf.runtime import import_tensorflow
import_tensorflow(1)
from emobed_tf.config import preset
from emobed_tf.training.loop import train
from tests.benchmarks.data import framewise
from tests.benchmarks.worker import resident

corpus = framewise({"audio": 20, "video": 30}, frames=300, recordings=4)
small = {"encoder_layers": 1, "head_layers": 1, "encoder_units": 32, "head_units": 32, "epochs": 2, "threads": 1}
config = preset("recola").replace(target="audio", auxiliary=("video",), task="regression", **small).check()
memory = []
for seed in range(40):
    train(config.replace(seed=seed), corpus)
    memory.append(resident())
print(json.dumps(memory))
"""

OTHERS = {"alpha": 0.9, "beta": 0.1, "l2": 0.01, "learning_rate": 0.01, "seed": 5, "bins": 3}


@pytest.fixture
def session():
    with Session() as session:
        yield session


@pytest.fixture(scope="module")
def data(recola):
    from emobed_tf.corpora.configured import load_corpus

    return load_corpus(settings(recola, epochs=2))


def trained(data, session, **changes):
    from emobed_tf.training.loop import train

    config, corpus = data
    return train(config.replace(**changes), corpus, session=session)


class TestReuse:
    @pytest.mark.parametrize("xla", [False, True])
    def test_a_used_model_trains_like_a_new_one(self, recola, tmp_path, session, xla):
        from emobed_tf.training.loop import train_run

        with Session() as another:
            new = train_run(settings(recola, xla=xla), tmp_path / "new", session=another)
        train_run(settings(recola, xla=xla, **OTHERS), tmp_path / "others", session=session)
        (model,) = session.models.idle.values()
        used = train_run(settings(recola, xla=xla), tmp_path / "used", session=session)
        assert list(session.models.idle.values()) == [model]
        assert_equal_weights(weights(new), weights(used))
        assert (new.path / "history.csv").read_text() == (used.path / "history.csv").read_text()
        assert new.read_json("scores.json")["dev"] == used.read_json("scores.json")["dev"]

    def test_nothing_is_traced_again(self, recola, tmp_path, session, monkeypatch):
        from emobed_tf.models.emobed import EmoBed
        from emobed_tf.training.loop import train_run

        traced = []
        for name in ("train_step", "test_step"):
            step = getattr(EmoBed, name)
            monkeypatch.setattr(EmoBed, name, lambda self, batch, s=step, n=name: (traced.append(n), s(self, batch))[1])
        train_run(settings(recola), tmp_path / "first", session=session)
        assert set(traced) == {"train_step", "test_step"}
        traced.clear()
        train_run(settings(recola, **OTHERS), tmp_path / "second", session=session)
        assert traced == []

    def test_other_data_need_no_other_step(self, tables, session, monkeypatch):
        """Fewer recordings, more than a batch: another fold, say. Only the score is of another shape."""
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.models.emobed import EmoBed

        traced, step = [], EmoBed.train_step
        monkeypatch.setattr(EmoBed, "train_step", lambda self, batch: (traced.append(1), step(self, batch))[1])
        config, corpus = load_corpus(settings(tables, "tables", batch_size=8, steps_per_epoch=4))
        kept = {m.name: dataclasses.replace(m, recordings=m.recordings[8:]) for m in corpus}
        fewer = dataclasses.replace(corpus, modalities=kept)
        with Session() as another:
            new = trained((config, fewer), another)
        trained((config, corpus), session, seed=7)
        traced.clear()
        used = trained((config, fewer), session)
        assert not traced
        assert_equal_weights(new.weights, used.weights)
        assert new.history == used.history

    @pytest.mark.slow
    def test_nothing_is_left_in_memory(self):
        done = subprocess.run(
            [sys.executable, "-c", TRAININGS], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
        )
        memory = json.loads(done.stdout.splitlines()[-1])
        assert memory[-1] - memory[-25] < 12 * 2**20

    @pytest.mark.parametrize("change", [{"margin": 0.2}, {"batch_size": 3}, {"head_units": 7}, {"clip": 3.0}])
    def test_another_shape_gets_a_model_of_its_own(self, data, session, change):
        trained(data, session, epochs=1)
        trained(data, session, epochs=1, **change)
        assert len(session.models.idle) == 2

    def test_a_model_that_failed_is_not_used_again(self, data, session):
        import keras

        from emobed_tf.training.loop import train

        class Stop(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                raise RuntimeError("on purpose")

        with pytest.raises(RuntimeError, match="on purpose"):
            train(*data, callbacks=[Stop()], session=session)
        assert not session.models.idle


class TestSession:
    def test_two_share_no_model_and_give_the_same_bits(self, data, session):
        with Session() as another:
            one, other = trained(data, session), trained(data, another)
            (first,), (second,) = session.models.idle.values(), another.models.idle.values()
            assert first is not second
        assert_equal_weights(one.weights, other.weights)
        assert one.history == other.history

    def test_closing_frees_its_models_and_data(self, recola):
        from emobed_tf.training.loop import train

        session = Session()
        config, corpus = session.corpora.load(settings(recola, epochs=1))
        found = train(config, corpus, session=session)
        recordings = corpus.modality("audio").partition("dev")
        before = found.outputs(recordings)
        (idle,) = session.models.idle.values()
        alive = [weakref.ref(idle), weakref.ref(found._model()), weakref.ref(corpus)]
        del idle, corpus
        gc.collect()
        assert all(reference() is not None for reference in alive)
        session.close()
        gc.collect()
        assert [reference() for reference in alive] == [None, None, None]
        for one, other in zip(before, found.outputs(recordings), strict=True):  # what was trained still predicts
            np.testing.assert_array_equal(one, other)

    def test_keeps_nothing_once_closed(self, data):
        session = Session()
        session.close()
        found = trained(data, session, epochs=1)
        assert not session.models.idle
        assert found._model() is not found._model()
        asked = []
        for _ in range(2):
            session.remembered("key", lambda: asked.append(1))
        assert len(asked) == 2

    def test_remembers_what_was_found(self, session):
        asked = []
        for key in ("a", "b", "a"):
            assert session.remembered(key, lambda k=key: asked.append(k) or k) == key
        assert asked == ["a", "b"]

    def test_knows_how_long_it_took_to_find_what_it_remembers(self, session, monkeypatch):
        """The outer result takes 2 s beside the inner one's 3 s, whether that is found on the way or before."""
        from emobed_tf.training import session as module

        clock = [0.0]
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: clock[0]))

        def takes(seconds):
            clock[0] += seconds

        def outer(key):
            session.remembered(key, lambda: (takes(2), session.remembered("inner", lambda: takes(3))))

        for key, saved in (("first", 0), ("second", 3), ("first", 3 + 5), ("second", 3 + 5 + 5)):
            outer(key)
            assert session.seconds_saved == saved

    def test_forgets_large_results_that_were_not_used_for_longest(self, session, monkeypatch):
        from emobed_tf.training import session as module

        monkeypatch.setattr(module, "MOST_BYTES", 10)
        asked = []

        def ask(key, **more):
            return session.remembered(key, lambda: asked.append(key) or key, **more)

        ask("small")
        for key, size in (("a", 4), ("b", 4), ("a", 4), ("c", 4)):  # c has no room beside a and b, and a was used last
            ask(key, size=lambda _, size=size: size)
        assert asked == ["small", "a", "b", "c"]
        assert [ask(key, size=lambda _: 4) for key in ("a", "c", "small", "b")] == ["a", "c", "small", "b"]
        assert asked == ["small", "a", "b", "c", "b"]

    def test_a_process_has_one_that_is_used_where_none_is_named(self, data):
        default_session.cache_clear()  # a process of its own, as it were
        trained(data, None, epochs=1)
        assert len(default_session().models.idle) == 1


class TestSystems:
    def test_train_in_the_session_of_their_problem(self, data, session):
        from emobed_tf.systems.base import Problem
        from emobed_tf.systems.registry import find_system

        default_session.cache_clear()
        given = Problem(*data, session=session)
        for name in ("classic", "model_level", "ddat_re", "late"):
            system = find_system(name)()
            system.fit(given.without_test(), system.configurations(given, 1)[0], 0)
        assert len(session.models.idle) >= 4
        assert not default_session().models.idle


MUTATORS = {"add", "append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"}
MEMOISED = {
    "emobed_tf/training/session.py:default_session",  # the one place of a process
    "emobed_tf/models/fused_gru.py:_function",  # a compiled function of shapes alone, as XLA's own cache has it
    "emobed_tf/models/mining.py:_compiled",  # the same
    "emobed_tf/models/contrastive.py:_compiled",  # the same
    "emobed_tf/systems/controls.py:control_of",  # a class from two classes
    "emobed_tf/evaluation/power.py:_relative_gain",  # a number from four numbers
    "emobed_tf/evaluation/significance.py:_kept_weights",  # random numbers from their seed
    "emobed_tf/recordings/extraction.py:_extractor",  # an extractor of its name and windows, made once
    "emobed_tf/runtime.py:_keep_sums_in_order",  # done once to the TensorFlow of a process
}
# A process has one terminal, and is told once what its variables cost.
ON_THE_TERMINAL = {
    "emobed_tf/console.py:_bars",
    "emobed_tf/console.py:_lines",
    "emobed_tf/runtime.py:_told",
}
# Who uses the process says so: nothing was found, and nothing is looked up in it but that.
ALLOWED_BY_THE_USER = {"emobed_tf/trusted.py:_trusted"}


class TestNoHiddenState:
    """Nothing that a function of this package has found lies in a module, but what `default_session` holds."""

    @pytest.fixture(scope="class")
    def modules(self):
        folder = Path(emobed_tf.__file__).parent
        return {p.relative_to(folder.parent).as_posix(): ast.parse(p.read_text()) for p in folder.rglob("*.py")}

    def test_no_function_changes_what_a_module_holds(self, modules):
        changed = set()
        for path, tree in modules.items():
            targets = [node.targets if isinstance(node, ast.Assign) else [node.target]
                       for node in tree.body if isinstance(node, (ast.Assign, ast.AnnAssign))]  # fmt: skip
            held = {target.id for each in targets for target in each if isinstance(target, ast.Name)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Global):
                    changed |= {f"{path}:{name}" for name in node.names}
                elif (isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del))) or (
                    isinstance(node, ast.Attribute) and node.attr in MUTATORS
                ):
                    changed |= {f"{path}:{name}" for name in held & {getattr(node.value, "id", None)}}
        assert changed == ON_THE_TERMINAL | ALLOWED_BY_THE_USER

    def test_only_functions_of_their_arguments_are_memoised(self, modules):
        found = set()
        for path, tree in modules.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    decorators = {
                        ast.unparse(decorator).split("(")[0].split(".")[-1] for decorator in node.decorator_list
                    }
                    if decorators & {"cache", "lru_cache"}:
                        found.add(f"{path}:{node.name}")
        assert found == MEMOISED
