"""Whether a new version of a model is the same kind of model as the version before it."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.corpora.files import listing
from emobed_tf.errors import EmoBedWarning
from emobed_tf.files import parse_json
from emobed_tf.saved_model.versions import latest_version


def warn_of_another_model(model_dir: Path, now: Mapping[str, Any], file: str) -> None:
    """Warns where clients of the version before would be surprised by a new one.

    Args:
        model_dir: folder of a model's versions; need not exist.
        now: the new version's manifest.
        file: what the manifest's file is called in a version.

    Warns:
        EmoBedWarning: if the latest version there takes other features, learnt another task or label, or knows other
            classes.
    """
    latest = latest_version(model_dir)
    if latest is None:
        return
    try:
        before = parse_json((latest / file).read_bytes())
    except (OSError, ValueError):
        return  # another program's model, or a damaged one: there is nothing to compare with
    found = differences(before, now) if isinstance(before, Mapping) else []
    if found:
        warnings.warn(
            f"{latest} is another kind of model: {'; '.join(found)}. A client that names no version now gets the new "
            "one; if they are different models, export each to a folder of its own, and remove the version that "
            "doesn't belong here",
            EmoBedWarning,
            stacklevel=4,
        )


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In what two models differ that a client depends on.

    Args:
        before: a manifest.
        now: another one.

    Returns:
        A phrase for each difference, such as `it takes 3 features, this run 5`; none if a client can't tell the two
        apart.
    """
    found = []
    if _learnt(before) != _learnt(now):
        found.append(f"it learnt {_learnt(before)}, this run {_learnt(now)}")
    elif _names(before, "classes") != _names(now, "classes"):
        classes = [listing(_names(manifest, "classes")) or "unknown" for manifest in (before, now)]
        found.append(f"its classes are {classes[0]}, this run's are {classes[1]}")
    features = [_names(manifest, "features") for manifest in (before, now)]
    if len(features[0]) != len(features[1]):
        found.append(f"it takes {len(features[0])} features, this run {len(features[1])}")
    elif features[0] != features[1]:
        found.append(f"it takes the features {listing(features[0], 4)}, this run {listing(features[1], 4)}")
    return found


def _learnt(manifest: Mapping[str, Any]) -> str:
    """What a model answers: `classes`, or the dimension of a regression."""
    return str(manifest.get("dimension")) if manifest.get("task") == REGRESSION else "classes"


def _names(manifest: Mapping[str, Any], key: str) -> list[str]:
    """From a file or not: JSON has lists where a manifest in memory has tuples."""
    names = manifest.get(key)
    return list(map(str, names)) if isinstance(names, (list, tuple)) else []
