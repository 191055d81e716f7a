"""Public docstrings say what comes in, as far as the linter doesn't see to that; their examples run."""

import doctest
import importlib
import inspect
import io
from functools import cache

import pytest

from tests.serving.fake_serving import FakeModel, serving
from tests.source import modules
from tests.tiny import settings

MOST_USED = (
    "emobed_tf.config.preset",
    "emobed_tf.corpora.loading.load",
    "emobed_tf.evaluation.metrics.concordance_cc",
    "emobed_tf.models.build.build_emobed",
    "emobed_tf.models.losses.batch_hard_triplet_loss",
    "emobed_tf.models.mining.batch_hard_pairs",
    "emobed_tf.training.loop.train_run",
    "emobed_tf.runs.scoring.score_run",
    "emobed_tf.saved_model.export.export_run",
    "emobed_tf.reporting.report.write_report",
    "emobed_tf.evaluation.postprocessing.learn",
    "serving.client.client.Client",
)


def public(module):
    """Functions and methods that a module defines for others, by name; what overrides another's method is left out."""
    for name, found in vars(module).items():
        if name.startswith("_") or getattr(found, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(found):
            yield name, found
        elif inspect.isclass(found):
            for method, function in vars(found).items():
                inherited = any(method in vars(base) for base in found.__mro__[1:])
                if not method.startswith("_") and not inherited:
                    function = getattr(function, "__func__", function)  # of a class method
                    if inspect.isfunction(function):
                        yield f"{name}.{method}", function


def undocumented(function):
    """Parameters that are not under `Args`."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parameters = inspect.signature(inspect.unwrap(function)).parameters.values()
    _, _, arguments = (inspect.getdoc(function) or "").partition("\nArgs:\n")
    named = {line.split(":")[0].strip() for line in arguments.splitlines() if ":" in line}
    wanted = [stars.get(p.kind, "") + p.name for p in parameters if p.name not in ("self", "cls")]
    if wanted == ["*args", "**kwargs"]:  # a library's wrapper, which hides the parameters
        return []
    return [name for name in wanted if name not in named]


@pytest.mark.usefixtures("stack")
def test_every_parameter_is_explained():
    missing = []
    for module in modules():
        for name, function in public(importlib.import_module(module)):
            missing += [f"{module}.{name}: {parameter}" for parameter in undocumented(function)]
    assert not missing, "\n".join(missing)


@cache
def examples():
    """Docstrings with an example: the example by name."""
    found = {}
    for module, file in modules().items():
        if ">>> " in file.read_text(encoding="utf-8"):
            tests = doctest.DocTestFinder().find(importlib.import_module(module), module)
            found |= {test.name: test for test in tests if test.examples}
    return found


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("name", MOST_USED)
def test_what_is_used_most_has_an_example(name):
    assert name in examples()


@pytest.mark.usefixtures("stack", "quiet_collapse")
def test_examples_run(recola, tmp_path, monkeypatch):
    """In a folder with a finished run, with a server that serves it, as their readers have them."""
    from emobed_tf.training.loop import train_run

    train_run(settings(recola, epochs=1), tmp_path / "runs" / "arousal")
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(verbose=False)
    with serving(audio=FakeModel()) as server:
        for test in examples().values():
            for example in test.examples:
                example.source = example.source.replace("http://localhost:8501", server.url)
            said = io.StringIO()
            assert not runner.run(test, out=said.write).failed, said.getvalue()
