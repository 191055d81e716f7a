"""What `experiments/audit_power.py` counts and averages, by hand, and that nothing is done twice."""

import csv
import json
from argparse import Namespace

import pytest

from emobed_tf.comparison.crossvalidation.folds import deal
from emobed_tf.errors import InputError


@pytest.fixture
def power(experiment):
    return experiment("audit_power")


def verdict(beaten, compared, seeds=2):
    return [{"first": name, "second": "emobed", "beaten": str(name in beaten), "seeds": seeds} for name in compared]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def packages(power, output, number, **more):
    values = {"output": output, "strength": 1.0, "labels": 16, "auxiliary_labels": 40, "folds": 3} | more
    return [power.Package(seed=seed, **values) for seed in range(number)]


class TestFound:
    def test_only_if_all_are_beaten(self, power):
        compared = (power.CLASSIC, *power.CONTROLS)
        assert power.is_found(verdict(compared, compared))
        for name in compared:
            assert not power.is_found(verdict(set(compared) - {name}, compared))
            others = [other for other in compared if other != name]
            assert not power.is_found(verdict(others, others))  # without a result, nothing is found

    def test_controls_of_another_system(self, power):
        names = [power.CLASSIC, *(f"{name}@contrastive" for name in power.CONTROLS)]
        assert power.is_found(verdict(names, names))
        assert not power.is_found(verdict(names[:-1], names))


class TestIntervals:
    def test_mean(self, power):
        # Mean 2, deviation 1; Student's 97.5 % point with two degrees of freedom is 4.302653: 4.302653 / sqrt 3.
        assert power.interval_of_mean([1, 2, 3]) == pytest.approx((2, 2 - 2.484138, 2 + 2.484138), abs=1e-5)

    def test_share(self, power):
        # Wilson, 8 of 10, z = 1.959964: (p + z^2 / 2n -+ z sqrt(p q / n + z^2 / 4n^2)) / (1 + z^2 / n).
        assert power.interval_of_share(8, 10) == pytest.approx((0.49016, 0.94332), abs=1e-5)
        assert power.interval_of_share(0, 20) == pytest.approx((0, 0.16113), abs=1e-5)


class TestTable:
    def test_what_came_out(self, power, tmp_path):
        found = packages(power, tmp_path, 2)
        compared = (power.CLASSIC, *power.CONTROLS)
        for package, joint, gain, beaten in ((found[0], 0.7, 0.05, compared), (found[1], 0.8, 0.07, ())):
            package.tables.mkdir(parents=True)
            (package.tables / "plain.json").write_text(json.dumps({"alone": [0.5, 0.7], "joint": [joint, joint]}))
            write(package.folder / "audit" / "verdict.csv", verdict(beaten, compared))
            rows = [{"second": "emobed", "difference": gain}, {"second": "joint", "difference": 2 * gain}]
            write(package.folder / "audit" / "audit-gains.csv", rows)
        row = power.summary(found)
        assert row["labels_in_training"] == 7  # 16: a third is tested, and a third of the others is for development
        assert row["plain_gain"] == pytest.approx(0.15)  # .7 - .6 and .8 - .6
        assert (row["emobed_gain"], row["joint_gain"]) == pytest.approx((0.06, 0.12))
        assert (row["packages"], row["audited"], row["found"]) == (2, 2, 1)
        unfinished = power.summary(packages(power, tmp_path, 3, strength=0.0))
        text = power.write_table([row, unfinished], tmp_path)
        assert text.startswith("SIMULATED")
        # Two values, .05 and .07: the deviation of their mean is .01, and Student's point 12.7062.
        assert "+0.060 [-0.067, +0.187]" in text
        assert "| 1 of 2 [0.09, 0.91] |" in text
        assert "not audited" in text
        written = list(csv.DictReader((tmp_path / "power.csv").open()))
        assert [line["strength"] for line in written] == ["1.0", "0.0"]
        assert (tmp_path / "power.md").read_text() == text


class TestWork:
    @pytest.fixture
    def calls(self, power, monkeypatch):
        """Commands that were run, each of which leaves what it would have written."""
        found = []

        def run(command, what):
            found.append(what)
            if "emobed_tf.audit" in command:
                folder = type(power.HERE)(command[command.index("--output") + 1])
                compared = (power.CLASSIC, *power.CONTROLS)
                seeds = command[command.index("--seeds") + 1]
                write(folder / "verdict.csv", verdict(compared, compared, seeds))
                systems = (
                    ["emobed", *command[command.index("--systems") + 1 :][:1]] if "--systems" in command else ["emobed"]
                )
                write(folder / "audit-gains.csv", [{"second": name, "difference": 0.1} for name in systems])
            else:
                for folder in command[2 : command.index("--share")]:
                    (type(power.HERE)(folder) / "plain.json").write_text('{"alone": [0.5], "joint": [0.6]}')

        monkeypatch.setattr(power, "run", run)
        return found

    def arguments(self, output, **more):
        values = {
            "output": output,
            "strengths": [0.0, 1.0],
            "target_labels": [16],
            "auxiliary_labels": 40,
            "folds": 3,
            "packages": 2,
            "plain_only": False,
            "primary": "emobed",
            "first_seed": 0,
            "systems": [],
            "seeds": 2,
            "settings": "--epochs 1",
            "jobs": 2,
        }
        return Namespace(**(values | more))

    def test_nothing_is_done_twice(self, power, calls, tmp_path, capsys):
        assert power.experiment(self.arguments(tmp_path)) == 0
        assert sum("audit" in what for what in calls) == sum("plain" in what for what in calls) == 4
        said = capsys.readouterr().out
        assert "3 more, 2 at a time: at most about" in said
        assert said.count("2 of 2") == 2
        assert power.experiment(self.arguments(tmp_path)) == 0
        assert len(calls) == 8
        assert "more, 2 at a time" not in capsys.readouterr().out
        assert power.experiment(self.arguments(tmp_path, systems=["joint"], packages=3)) == 0
        assert "5 more, 2 at a time" in capsys.readouterr().out
        assert sum("audit" in what for what in calls[8:]) == 6  # a further system, in all packages
        assert sum("plain" in what for what in calls[8:]) == 2  # of the new package, at both strengths
        del calls[:]
        assert power.experiment(self.arguments(tmp_path, systems=["joint"], packages=3, seeds=5)) == 0
        assert sum("audit" in what for what in calls) == len(calls) == 6  # more seeds, in all packages

    def test_what_is_audited_has_the_same_training_utterances_and_no_test(self, power, calls, tmp_path):
        power.experiment(self.arguments(tmp_path, strengths=[1.0], packages=1))
        package = packages(power, tmp_path, 1)[0]
        whole, audited = (
            (folder / "audio.csv").read_text().splitlines() for folder in (package.tables, package.audited)
        )
        assert audited == [line for line in whole if ",test," not in line]
        assert len(whole) == len(audited) + power.TESTED == 1 + 16 + power.TESTED
        assert (package.tables / "video.csv").read_bytes() == (package.audited / "video.csv").read_bytes()

    def test_a_plain_network_alone(self, power, calls, tmp_path, capsys):
        power.experiment(self.arguments(tmp_path, plain_only=True))
        # The first package alone, for its time; then one call for all that is left of each size.
        assert len(calls) == 3
        assert "not audited" in capsys.readouterr().out

    @pytest.mark.parametrize("folds", [2, 3, 5])
    def test_the_plain_network_sees_as_many_as_a_fold_trains_on(self, power, tmp_path, monkeypatch, folds):
        commands = []
        monkeypatch.setattr(power, "run", lambda command, what: commands.append(command))
        power.experiment(self.arguments(tmp_path, strengths=[1.0], packages=1, folds=folds))
        plain, audit = commands[0], commands[1]
        assert audit[audit.index("--folds") + 1] == str(folds)
        speakers = {f"s{k}": frozenset(("audio",)) for k in range(90)}
        trained = len(deal(speakers, folds)[0].train)
        assert float(plain[plain.index("--share") + 1]) == pytest.approx(trained / 90)

    def test_other_folds_are_other_audits(self, power, calls, tmp_path):
        for folds in (2, 3):
            power.experiment(self.arguments(tmp_path, strengths=[1.0], packages=1, folds=folds))
        assert sum("audit" in what for what in calls) == sum("plain" in what for what in calls) == 2

    def test_what_fails_is_told_in_a_line(self, power):
        with pytest.raises(InputError, match="the audit failed: ValueError: no"):
            power.run(["python3", "-c", "raise ValueError('no')"], "the audit")
