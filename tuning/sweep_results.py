"""What a sweep leaves: its folder, the CSV file, the table in the terminal and the figure. No TensorFlow.

trials.jsonl           every finished training, one a line
sweep.csv              the same as a table, by scenario, value and seed
sweep.png, sweep.svg   score by value: a line per scenario, a band over seeds, the best marked
"""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emobed_tf import console
from emobed_tf.comparison.ledger import Ledger, canonical
from emobed_tf.config import former_settings, preset
from emobed_tf.errors import InputError
from emobed_tf.files import write_csv
from emobed_tf.runs.records import typed
from tuning.sweep_trials import SweepScenario, SweepTrial, scenario_name, sweep_identity, sweep_key_of_format_1
from tuning.sweep_values import NumericSetting, Value

_FAILURES_SHOWN = 5

Row = Mapping[str, Any]


class SweepFolder:
    """The folder of a sweep, begun or new.

    Args:
        path: of the folder; made if it isn't there.
        parameter: that is varied.
        scenarios: that this call wants.

    Raises:
        InputError: if the folder holds something else, or a sweep with other settings or data.
    """

    def __init__(self, path: Path, parameter: NumericSetting, scenarios: Sequence[SweepScenario]):
        self.path, self._parameter = Path(path), parameter.name
        file = self.path / "trials.jsonl"
        if self.path.exists() and (not self.path.is_dir() or (not file.exists() and any(self.path.iterdir()))):
            raise InputError(f"{self.path}: no folder of a sweep; choose another --output")
        self._ledger = Ledger(
            file,
            sweep_identity(parameter, scenarios),
            defaults={"settings": former_settings(preset(scenarios[0].config.data.dataset).check())},
            former_key=sweep_key_of_format_1,
            check=_check_record,
        )
        try:
            for scenario in scenarios:
                if scenario.key in self._ledger:
                    self._ledger.agree(scenario.key, scenario.facts())
        except InputError:
            self.close()
            raise

    def __contains__(self, trial: SweepTrial) -> bool:
        return trial.key in self._ledger

    def add(self, trial: SweepTrial, found: Mapping[str, Any]) -> None:
        """Keeps what a trial has found; it is on disk when this returns.

        Args:
            trial: of this sweep.
            found: from `run_sweep_trial`.
        """
        self._ledger.agree(trial.scenario.key, trial.scenario.facts())
        self._ledger.add(trial.key, found)

    def close(self) -> None:
        """Lets another process work in the folder."""
        self._ledger.close()

    def rows(self) -> list[dict[str, Any]]:
        """All finished trials of this folder, earlier calls' too, by scenario, value and seed."""
        facts: dict[str, Mapping[str, Any]] = {}
        names: dict[str, str] = {}
        found = []
        for key, record in self._ledger.items():
            scenario = canonical({name: part for name, part in key.items() if name not in ("value", "seed")})
            if "seed" not in key:
                facts[scenario] = record
                auxiliary = key.get("auxiliary", ())  # of one that was named with them
                names[scenario] = key.get("scenario") or scenario_name(record["label"], record["target"], auxiliary)
                continue
            of = facts[scenario]
            found.append(
                {
                    "parameter": self._parameter,
                    "value": key["value"],
                    "scenario": names[scenario],
                    "target": of["target"],
                    "auxiliary": " ".join(of["auxiliary"]),
                    "label": of["label"],
                    "seed": key["seed"],
                    "score_name": of["score_name"],
                    "score": record["score"],
                    "epochs": record["epochs"],
                    "best_epoch": record["best_epoch"],
                    "seconds": record["seconds"],
                    "simulated": of["simulated"],
                    "reason": record["reason"],
                    "warnings": "; ".join(record["warnings"]),
                }
            )
        place = {name: k for k, name in enumerate(names.values())}
        return sorted(found, key=lambda row: (place[row["scenario"]], *_order(row["value"]), row["seed"]))

    def write(self) -> list[Path]:
        """Writes the CSV file and the figure.

        Returns:
            The files.
        """
        from emobed_tf import figures

        rows, csv = self.rows(), self.path / "sweep.csv"
        write_csv(csv, rows)
        return [csv, *figures.save(figures.sweep(rows), self.path / "sweep")]


_FACTS: dict[str, Any] = {
    "target": str,
    "auxiliary": Sequence[str],
    "label": str,
    "score_name": str,
    "simulated": bool,
}
_FOUND: dict[str, Any] = {
    "score": float | None,
    "epochs": int | None,
    "best_epoch": int | None,
    "seconds": float | None,
    "reason": str | None,
    "warnings": Sequence[str],
}


def _check_record(key: Any, record: Mapping[str, Any], where: str) -> None:
    """Checks a record before anything is computed from it: of a training, whose key has a seed, or of a scenario."""
    kinds = _FOUND if "seed" in typed(dict[str, Any], key, f"{where}: key") else _FACTS
    for name, kind in kinds.items():
        if name not in record:
            raise InputError(f"{where}: a record without {name}; remove that line, or choose another --output")
        typed(kind, record[name], f"{where}: {name}")
    score = record.get("score")
    if score is not None and not -1 <= score <= 1:
        raise InputError(f"{where}: score: expected -1 to 1, found {score:g}")


def best_values(rows: Sequence[Row]) -> dict[str, Value]:
    """The values with the highest mean score over seeds.

    Args:
        rows: from `SweepFolder.rows`.

    Returns:
        The value by scenario, the first of equal ones; a scenario in which all trainings failed is left out.
    """
    means = {key: statistics.fmean(scores) for key, scores in _scores(rows).items() if scores}
    found: dict[str, Value] = {}
    for scenario, value in means:
        if scenario not in found or means[scenario, value] > means[scenario, found[scenario]]:
            found[scenario] = value
    return found


def show_sweep(rows: Sequence[Row]) -> None:
    """Prints mean and standard deviation by value and scenario, and what failed.

    Args:
        rows: from `SweepFolder.rows`.
    """
    parameter, score_name = rows[0]["parameter"], rows[0]["score_name"]
    names = list(dict.fromkeys(row["scenario"] for row in rows))
    values = sorted(dict.fromkeys(row["value"] for row in rows), key=_order)
    scores, marked = _scores(rows), best_values(rows)
    cells = [
        [str(value), *(_cell(scores.get((name, value)), marked.get(name) == value) for name in names)]
        for value in values
    ]
    simulated = "SIMULATED: " if any(row["simulated"] for row in rows) else ""
    title = f"{simulated}development {score_name} by {parameter}, mean ± deviation over seeds; * best"
    console.table(title, [parameter, *names], cells)
    _show_doubts(rows)


def _scores(rows: Sequence[Row]) -> dict[tuple[str, Value], list[float]]:
    """Scores of seeds by scenario and value; those that failed are left out."""
    found: dict[tuple[str, Value], list[float]] = {}
    for row in rows:
        scores = found.setdefault((row["scenario"], row["value"]), [])
        if row["score"] is not None:
            scores.append(row["score"])
    return found


def _cell(scores: Sequence[float] | None, marked: bool) -> str:
    if scores is None:
        return ""
    if not scores:
        return "failed"
    deviation = f" ± {statistics.stdev(scores):.3f}" if len(scores) > 1 else ""
    return f"{statistics.fmean(scores):.3f}{deviation} ({len(scores)})" + (" *" if marked else "  ")


def _show_doubts(rows: Sequence[Row]) -> None:
    failed = [row for row in rows if row["score"] is None]
    for row in failed[:_FAILURES_SHOWN]:
        console.say(
            f"failed: {row['parameter']} = {row['value']}, {row['scenario']}, seed {row['seed']}: {row['reason']}"
        )
    if len(failed) > _FAILURES_SHOWN:
        console.say(f"failed: {len(failed) - _FAILURES_SHOWN} more, see the column `reason`")
    warned = [row for row in rows if row["warnings"]]
    if warned:
        console.say(
            f"{len(warned)} of {len(rows)} trainings warned, see the column `warnings`: {warned[0]['warnings']}"
        )


def _order(value: Value) -> tuple[bool, Any]:
    return isinstance(value, str), value  # words after numbers
