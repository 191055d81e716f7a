"""`make bench`: sides take turns, figures are what they say, a run goes on, and every section works."""

import json
import re
import subprocess
import sys

import pytest

from tests.benchmarks import scores, training
from tests.benchmarks.__main__ import SECTIONS, main
from tests.benchmarks.driver import BenchmarkError, Plan, Side, alternate, check_agreement, fastest, started
from tests.benchmarks.results import Results
from tests.benchmarks.text import comparison, seconds, settings, times_as_fast
from tests.benchmarks.training import multiply_adds
from tests.conftest import ROOT

MB = 10**6
QUICK = ("mining", "many", "scores")  # the other sections take one minute to five, even on small sizes


@pytest.fixture
def plan(tmp_path):
    return Plan(repeats=3, warmups=1, quick=True, peers=None, folder=tmp_path)


def shell(name, text, choice=""):
    return Side(name, "command", {"line": ["sh", "-c", text]}, choice)


class TestTurns:
    def test_sides_alternate(self, plan, tmp_path):
        log = tmp_path / "log"
        found = alternate([shell(name, f"printf {name} >> {log}") for name in "AB"], plan)
        assert log.read_text() == "AB" + "ABABAB"  # one warm-up, three repeats
        assert [len(found["sides"][name]["seconds"]) for name in "AB"] == [3, 3]

    def test_no_round_begins_after_its_time(self, plan, tmp_path):
        log = tmp_path / "log"
        side = shell("A", f"printf A >> {log}")
        found = alternate([side], plan, most_seconds=0, least=2)
        assert len(found["sides"]["A"]["seconds"]) == 2
        assert log.read_text() == "A" + "AA"

    def test_seconds_are_those_of_the_work(self, plan):
        sides = alternate([shell("slow", "sleep 0.3"), shell("quick", "true")], plan)["sides"]
        assert min(sides["slow"]["seconds"]) >= 0.3
        assert min(sides["quick"]["seconds"]) < min(sides["slow"]["seconds"])

    def test_a_worker_that_fails_is_told_in_one_line(self, plan):
        with pytest.raises(
            BenchmarkError, match=r"^mine \(command loud\): the worker ended: sh -c exit 3 .* status 3$"
        ):
            alternate([shell("mine", "exit 3", "loud")], plan)

    def test_what_a_worker_prints_is_kept(self):
        with started(shell("A", "echo one >&2")) as [worker]:
            worker.repeat()
            assert worker.printed() == "one\n"
            worker.repeat()
            assert worker.printed() == "one\none\n"

    def test_the_fastest_choice_is_taken(self, plan):
        sides = [shell("peer", f"sleep {time}", choice) for time, choice in ((0.4, "a"), (0, "b"), (0.2, "c"))]
        best, tried = fastest(sides, plan)
        assert best.choice == "b"
        assert list(tried) == ["a", "b", "c"]
        assert tried["a"] >= 0.4

    def test_a_choice_that_fails_is_told_and_left_out(self, plan):
        best, tried = fastest([shell("peer", "exit 4", "a"), shell("peer", "sleep 0.1", "b")], plan)
        assert best.choice == "b"
        assert tried["a"].endswith("exit 4 failed with status 4")
        told = settings({"peer": {"a": "peer (x): the worker ended: MemoryError: too much. [Op:f_1]", "b": 2.0}})
        assert told == ["Settings tried in a short run before:\n\n- peer: a: failed (too much); b: 2.00 s"]
        assert settings({"peer": {}}) == []
        with pytest.raises(BenchmarkError, match="status 5"):
            fastest([shell("peer", "exit 5", choice) for choice in "ab"], plan)

    def test_sides_must_compute_the_same(self):
        assert check_agreement({"ours": [2.0, -4.0], "peer": [2.0, -4.0002]}) == pytest.approx(5e-5)
        for wrong in (4.001, float("nan")):
            with pytest.raises(BenchmarkError, match="ours computes 4, peer"):
                check_agreement({"ours": [4.0], "peer": [wrong]})


class TestWorker:
    """The worker's end, in a process of its own."""

    CODE = "from tests.benchmarks.worker import Driver\nimport time\ndriver = Driver()\n"

    def answers(self, code, repeats):
        line = [sys.executable, "-c", self.CODE + code, '{"size": 200}']
        found = subprocess.run(line, cwd=ROOT, input="\n" * repeats, capture_output=True, text=True, check=True)
        return [json.loads(answer) for answer in found.stdout.splitlines()], found.stderr

    def test_prints_are_no_answers(self):
        answers, errors = self.answers("print('a')\ndriver.serve(lambda: print('b'))", 2)
        assert len(answers) == 3
        assert errors.split() == ["a", "b", "b"]

    def test_time_is_that_of_a_step(self):
        (_, answer), _ = self.answers("driver.serve(lambda: time.sleep(0.5), per_repeat=50)", 1)
        assert 0.01 <= answer["seconds"] < 0.5

    def test_peak_is_the_worker_s_own(self):
        ballast = b"x" * (400 * MB)  # the process that starts the worker is a large one
        code = "driver.serve(lambda: len(b'x' * (driver.arguments['size'] * 10**6)), computes=[1])"
        (ready, answer), _ = self.answers(code, 1)
        assert len(ballast) == 400 * MB
        assert ready["peak"] < 100 * MB
        assert 195 * MB < answer["peak"] - ready["before"] < 230 * MB
        assert ready["computes"] == [1]


class TestFigures:
    def test_ratio_is_the_median_of_neighbours(self):
        # 2/1, 6/2, 4/4; the ratio of the medians would be 2, too, but that of the means 12/7
        assert times_as_fast([1.0, 2.0, 4.0], [2.0, 6.0, 4.0]) == "2.00 (1.00 to 3.00)"
        # 1/1, 9/2, 2/1; medians 2 and 1
        assert times_as_fast([1.0, 2.0, 1.0], [1.0, 9.0, 2.0]) == "2.00 (1.00 to 4.50)"

    def test_seconds(self):
        assert seconds([0.5, 0.1239, 123.4]) == "0.500 s (0.124 to 123)"
        assert seconds(0.0123) == "12.3 ms"

    def test_comparison(self):
        common = {"choice": "", "before": 50 * MB}
        sides = {
            "ours": {**common, "seconds": [1.0], "peak": 60 * MB},
            "peer": {**common, "seconds": [4.0], "peak": 2050 * MB},
        }
        assert comparison(sides, "a step", "ours").splitlines() == [
            "|  | a step | memory before | peak above it | ours is … times as fast |",
            "| --- | ---: | ---: | ---: | ---: |",
            "| ours | 1.00 s (1.00 to 1.00) | 50 MB | 10 MB |  |",
            "| peer | 4.00 s (4.00 to 4.00) | 50 MB | 2.00 GB | 4.00 (4.00 to 4.00) |",
        ]

    def test_multiply_adds(self):
        # Forward, one frame: encoder 3*2*(3+2) + 3*2*(2+2) = 54; head 3*4*(2+4) + 4*1 = 76. That again for the weights'
        # gradients. For those of inputs and states all but the features' part, 3*2*3 = 18: 54 - 18 + 76 = 112.
        network = {"encoder_layers": 2, "encoder_units": 2, "head_layers": 1, "head_units": 4}
        assert multiply_adds({"audio": 3}, network, 1) == 130 + 130 + 112
        # One more feature: 3*2 forward and 3*2 for the weights.
        assert multiply_adds({"audio": 3, "video": 4}, network, 1) == 372 + 384

    def test_share_of_the_machine_s_rate(self):
        def side(*values):
            return {"choice": "2 threads", "before": 0, "peak": MB, "seconds": list(values)}

        # A product of 2048^3 multiply-adds takes 2 s; the step has a quarter of them: 0.5 s, half of 1 s, 1/8 of 4 s.
        step = {
            "sides": {"ours": side(1.0, 1.0, 3.0), "PyTorch": side(4.0, 4.0, 4.0), "product": side(2.0, 2.0, 2.0)},
            "tried": {},
            "steps": 39,
            "computes": [1.5, 0.25],
            "difference": 2e-7,
            "multiply_adds": 2048**3 // 4,
        }
        text = training.render({"OMG": step, "linear": {"sides": {"250": side(0.5)}}})
        assert "and would take 0.500 s. Share of that rate: ours 50.0 %, PyTorch 12.5 %." in text
        assert "3 repeats, each of 39 steps. Loss 1.500000, gradient norm 0.250000; the sides differ by 2e-07" in text
        assert "product" not in text.replace("matrix products", "")
        # 0.5 s for 250 frames are 2 s for 1,000.
        assert "| 250 | 0.500 s (0.500 to 0.500) | 2.00 s | 1 MB |" in text

    def test_steps_and_scores(self):
        sides = {
            "target": {"steps": 1, "training_seconds": [0.004, 0.006, 0.005], "scoring_seconds": [0.002, 0.001, 0.003]},
            "largest": {"steps": 47, "training_seconds": [0.1] * 3, "scoring_seconds": [0.002] * 3},
        }
        text = scores.render({"epochs": sides})
        assert "| `--epoch target` | 1 | 5.00 ms (4.00 to 6.00) | 2.00 ms (1.00 to 3.00) |" in text
        assert "| `--epoch largest` | 47 | 0.100 s (0.100 to 0.100) |" in text
        assert text.endswith("3 repeats.")


class TestResults:
    def test_an_interrupted_run_goes_on(self, tmp_path):
        file = tmp_path / "benchmarks.json"
        results = Results(file)
        results.begin()
        results.keep("mining", "old", {"sides": {}}, {"processor": "A"})
        results.begin()
        assert not results.of_this_run("mining", "old")
        results.keep("mining", "new", {"looks": {20: 1}}, {"processor": "B"})
        after = Results(file)  # another process
        assert after.of_this_run("mining", "new")
        assert not after.of_this_run("mining", "old")
        assert not after.of_this_run("many", "trainings")
        assert (
            after.section("mining") == results.section("mining") == {"old": {"sides": {}}, "new": {"looks": {"20": 1}}}
        )
        assert after.machines() == [({"processor": "A"}, ["mining"]), ({"processor": "B"}, ["mining"])]

    def test_a_quick_result_is_told(self, tmp_path):
        results = Results(tmp_path / "benchmarks.json")
        results.keep("mining", "a", {}, {})
        assert not results.quick
        results.keep("mining", "b", {}, {}, quick=True)
        assert Results(tmp_path / "benchmarks.json").quick
        results.keep("mining", "b", {}, {})
        assert not results.quick

    def test_what_is_not_measured_any_more_goes(self, tmp_path):
        results = Results(tmp_path / "benchmarks.json")
        for unit in ("a", "b", "c"):
            results.keep("mining", unit, {"unit": unit}, {})
        results.only("mining", ["c", "d", "a"])
        assert list(results.section("mining")) == ["c", "a"]


class TestCommand:
    @pytest.mark.parametrize("line", [["--repeats", "0"], ["--only", "nothing"], ["--unknown"]])
    def test_mistakes_are_one_line(self, line, tmp_path, capsys):
        assert main([*line, "--output", str(tmp_path)]) == 2
        message = capsys.readouterr().err
        assert message.count("\n") == 1
        assert message.startswith("tests.benchmarks: error: ")
        assert line[0] in message
        assert not list(tmp_path.iterdir())

    def test_nothing_to_render(self, tmp_path, capsys):
        assert main(["--render", "--output", str(tmp_path)]) == 2
        assert "benchmarks.json: no results" in capsys.readouterr().err
        assert not list(tmp_path.iterdir())

    def test_missing_peers(self, tmp_path, capsys, monkeypatch):
        monkeypatch.setattr("tests.benchmarks.__main__.PEERS", tmp_path / "python")
        assert main(["--output", str(tmp_path / "docs"), "--data", str(tmp_path / "data")]) == 2
        assert "make bench" in capsys.readouterr().err
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        "section",
        [pytest.param(name, marks=pytest.mark.slow if name in QUICK else pytest.mark.soak) for name in SECTIONS],
    )
    def test_every_section_has_its_figures(self, section, tmp_path):
        folders = ["--output", str(tmp_path), "--data", str(tmp_path / "data")]
        assert main(["--quick", "--no-peers", "--repeats", "1", "--only", section, *folders]) == 0
        text = (tmp_path / "benchmarks.md").read_text()
        assert re.findall("^## (.*)$", text, re.MULTILINE) == [SECTIONS[section].TITLE]
        assert "small sizes" in text
        assert not re.search(r"\b(nan|inf|None)\b", text)
        rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
        figures = [row for row in rows if re.search(r"\d (s|ms|MB|GB)\b", "".join(row))]
        least = {
            "training": 6,
            "scores": 2,
            "mining": 3,
            "many": 3,
            "reading": 5,
            "startup": 12,
            "serving": 3,
            "workers": 3,
            "signal": 7,
        }
        assert len(figures) >= least[section]
        for row in figures:
            # The side that others are compared with has no ratio; everything else is there.
            assert all(cell.strip() for cell in row[:-1]), row

        assert main(["--render", *folders]) == 0
        assert (tmp_path / "benchmarks.md").read_text() == text
        assert main(["--quick", "--no-peers", "--continue", "--only", section, *folders]) == 0  # nothing is left to do
        assert (tmp_path / "benchmarks.md").read_text() == text
