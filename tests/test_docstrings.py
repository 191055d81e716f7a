"""Public docstrings say what comes in, as far as the linter doesn't see to that; their examples run."""

import importlib
import inspect

import pytest

from tests.source import modules

# Not done yet.
NOT_YET = (
    "emobed_tf.cli.summary",
    "emobed_tf.comparison",
    "emobed_tf.config",
    "emobed_tf.corpora",
    "emobed_tf.evaluation",
    "emobed_tf.models",
    "emobed_tf.reporting.comparisons",
    "emobed_tf.reporting.contents",
    "emobed_tf.reporting.sections",
    "emobed_tf.saved_model",
    "emobed_tf.systems",
    "emobed_tf.training",
    "tuning.cluster",
    "tuning.hypermodel",
    "tuning.oracles",
    "tuning.sweep_trials",
    "tuning.tuners",
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
    return [name for name in wanted if name not in named]


@pytest.mark.usefixtures("stack")
def test_every_parameter_is_explained():
    missing = []
    for module in modules():
        if not any(module == part or module.startswith(f"{part}.") for part in NOT_YET):
            for name, function in public(importlib.import_module(module)):
                missing += [f"{module}.{name}: {parameter}" for parameter in undocumented(function)]
    assert not missing, "\n".join(missing)
