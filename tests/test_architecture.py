"""The rules that the source keeps to: which way imports go, and what has to do without TensorFlow.

A rule that is broken for a reason is an entry, with the reason, in a table beside it.
"""

import ast
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.source import commands, imports, loaded_by, modules, tree

# From the ground up: each of them knows those before it.
LAYERS = (
    "_version",
    "environment",
    "interrupts",
    "errors",
    "files",
    "console",
    "runtime",
    "importing",
    "datasets",
    "settings",
    "effects",
    "trusted",
    "config",
    "corpora",
    "recordings",
    "evaluation",
    "models",
    "figures",
    "runs",
    "training",
    "saved_model",
    "embeddings",
    "systems",
    "comparison",
    "reporting",
    "cli",
    "__main__",
)
TENSORFLOW = ("tensorflow", "keras", "keras_tuner", "tensorflow_serving")
# What a command loads only when its arguments have been read: slow to import, or installed by an extra.
LATE = (
    *TENSORFLOW,
    "matplotlib",
    "sklearn",
    "pandas",
    "scipy.stats",
    "uvicorn",
    "rapidjson",
    "prometheus_client",
    "soundfile",
    "av",
    "opensmile",
    "mediapipe",
    "mtcnn",
    "h5py",
)
WITHOUT_TENSORFLOW = (
    "emobed_tf.corpora",
    "emobed_tf.recordings",
    "emobed_tf.evaluation",
    "emobed_tf.settings",
    "emobed_tf.config",
    "emobed_tf.cli.arguments",
)

# Named within a function all the same.
WHERE_IT_RUNS = {"emobed_tf.recordings.vgg16": "VGG16 runs on TensorFlow, in the processes that extract with it"}


def layer(module):
    """The package or root module of `emobed_tf` that a module belongs to."""
    return module.split(".")[1]


def own(module):
    """Imports of a module that are modules of this project, but for the package's own name."""
    return [one for one in imports(module) if one.target in modules() and one.target != "emobed_tf"]


def inside(module, package):
    return module == package or module.startswith(f"{package}.")


def where(module, one):
    return f"{modules()[module].relative_to(ROOT)}:{one.line} imports {one.target}"


class TestArrows:
    """A package knows only those below it; commands stand on top of all, and nothing stands on them."""

    def test_every_module_has_a_place(self):
        inside_package = [m for m in modules() if m.startswith("emobed_tf.")]
        unplaced = {layer(m) for m in inside_package if m not in commands()} - set(LAYERS)
        assert not unplaced, "give them a place in LAYERS"

    def test_point_one_way(self):
        height = {name: k for k, name in enumerate(LAYERS)}
        wrong = [
            where(module, one)
            for module in modules()
            if module.startswith("emobed_tf.") and layer(module) in height
            for one in own(module)
            if height.get(layer(one.target), len(LAYERS)) > height[layer(module)]
        ]
        assert not wrong

    def test_make_no_circle(self):
        before = {module: {one.target for one in own(module)} - {module} for module in modules()}
        while True:  # take away what depends on nothing that is left
            free = {module for module, needed in before.items() if not needed & before.keys()}
            if not free:
                break
            before = {module: needed for module, needed in before.items() if module not in free}
        assert not before, "these import each other, or one that does"

    def test_nothing_imports_a_command(self):
        wrong = [where(module, one) for module in modules() for one in own(module) if one.target in commands()]
        assert not wrong

    def test_tuning_and_serving_use_the_package_and_not_each_other(self):
        allowed = {"emobed_tf": {"emobed_tf"}, "tuning": {"tuning", "emobed_tf"}, "serving": {"serving", "emobed_tf"}}
        wrong = [
            where(module, one)
            for module in modules()
            for one in own(module)
            if one.target.split(".")[0] not in allowed[module.split(".")[0]]
        ]
        assert not wrong


class TestWithoutTensorFlow:
    def test_data_and_evaluation_never_name_it(self):
        wrong = [
            where(module, one)
            for module in modules()
            if any(inside(module, package) for package in WITHOUT_TENSORFLOW)
            for one in imports(module)
            if one.target.split(".")[0] in TENSORFLOW and not (one.deferred and module in WHERE_IT_RUNS)
        ]
        assert not wrong, "not even for an annotation: a protocol says what is asked of a model"

    def test_data_evaluation_and_command_lines_import(self):
        wanted = [m for m in modules() if any(inside(m, package) for package in WITHOUT_TENSORFLOW)]
        assert_imported_without_tensorflow([*wanted, *commands()])

    def test_the_client_imports(self):
        assert_imported_without_tensorflow([m for m in modules() if inside(m, "serving.client")])


def assert_imported_without_tensorflow(names):
    """Imports modules in a process in which TensorFlow and its kin are not installed."""
    code = f"""
import importlib, sys
sys.modules.update(dict.fromkeys({TENSORFLOW!r}))  # None: an import raises
for name in {names!r}:
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


class TestDeferredImports:
    """An import within a function keeps what is slow out of a command's start; every other stands at the top."""

    # Also loaded before TensorFlow is: where a worker's process begins, and systems, which are found by their names.
    STARTS = ("tuning.workers", *(module for module in modules() if inside(module, "emobed_tf.systems")))
    # Its runs say with how many threads TensorFlow is imported.
    BEFORE_TENSORFLOW = ("emobed_tf.reporting.contents",)

    def deferred(self):
        for module in modules():
            yield from ((module, one) for one in own(module) if one.deferred)

    def test_bring_something_slow(self):
        quick = [where(module, one) for module, one in self.deferred() if not slow(one.target)]
        assert not quick, "move them to the top of the module"

    def test_belong_to_what_is_loaded_when_a_command_starts(self):
        early = {*loaded_by([*commands(), *self.STARTS]), *self.BEFORE_TENSORFLOW}
        late = [where(module, one) for module, one in self.deferred() if module not in early]
        assert not late, "nobody waits for these modules: move the imports to the top"

    @pytest.mark.parametrize("command", commands())
    def test_keep_it_out_of_the_start(self, command):
        assert not slow(command)


def slow(module):
    """What comes with a module and takes long, or comes with an extra."""
    return sorted(name for name in loaded_by([module]) if any(inside(name, late) for late in LATE))


@pytest.mark.parametrize("command", commands())
def test_a_command_runs(command):
    """`python -m` of a module that only defines `main` would do nothing, without a word."""
    assert ast.unparse(tree(modules()[command]).body[-1]) == "if __name__ == '__main__':\n    sys.exit(main())"


@pytest.mark.parametrize("command", commands())
def test_a_command_can_be_interrupted_while_it_is_imported(command):
    name = command.removesuffix(".__main__")
    _, first, second, *_ = map(ast.unparse, tree(modules()[command]).body)
    assert first == "from emobed_tf import interrupts"
    assert second == f"if __name__ == '__main__':\n    interrupts.end_at_once('{name}')"
