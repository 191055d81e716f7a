"""A table from its plan to its files, with rows that need no training of a network."""

import csv
import json

import pytest

from emobed_tf.comparison.protocol import Budget, predictions_file
from emobed_tf.comparison.reproduction.plan import plan_table
from emobed_tf.comparison.tables.run import make_table
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import preset

pytestmark = pytest.mark.usefixtures("stack")

BUDGET = Budget(configurations=2, seeds=2)


@pytest.fixture(scope="module")
def two_rows(tables):
    config = preset("tables").replace(data_dir=tables, threads=1)
    return plan_table(3, config, rows=["svm", "forest"])


@pytest.fixture(scope="module")
def done(two_rows, tmp_path_factory):
    folder, said = tmp_path_factory.mktemp("table"), []
    return make_table(two_rows, BUDGET, Workers(), folder, say=said.append), folder, said


class TestMakeTable:
    def test_table_and_files_say_the_same(self, done):
        table, folder, _ = done
        assert [grid.title for grid in table.grids] == ["audio (+face)", "face (+audio)"]
        with open(folder / "table.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        means = {(row["target"], row["system"], row["partition"]): float(row["mean"]) for row in rows}
        assert len(means) == 2 * 2 * 2
        for entry in table.entries:
            for partition, summary in entry.scores.items():
                assert means[entry.scenario.target, entry.row, partition] == summary.mean
        assert {row["settings"] for row in rows if row["system"] == "svm"} <= {
            json.dumps(record) for entry in table.entries for record in [entry.result.settings]
        }
        assert "## audio (+face)" in (folder / "table.md").read_text()
        assert "<h2>face (+audio)</h2>" in (folder / "table.html").read_text()

    def test_predictions_of_final_fits_are_there(self, done, two_rows):
        for cell in two_rows.cells():
            for seed in (0, 1):
                assert predictions_file(done[1] / "predictions", cell.scenario, cell.system, seed).is_file()

    def test_says_what_is_ahead(self, done):
        *read, work, time = done[2]
        assert read == [
            "audio: 5 features (audio_0 to audio_4), a row for each utterance",
            "face: 4 features (face_0 to face_3), a row for each utterance",
        ]
        assert "Table 3: 2 systems on 2 scenarios; each tries" in work
        assert "only then evaluated on the test set" in work
        assert time.startswith("estimated time for the rest: ")

    def test_again_is_from_the_ledger(self, done, two_rows):
        table, folder, _ = done
        before = (folder / "ledger.jsonl").read_bytes()
        told = []
        again = make_table(two_rows, BUDGET, Workers(), folder, progress=lambda *now: told.append(now))
        assert told == []
        assert (folder / "ledger.jsonl").read_bytes() == before
        assert [grid.rows for grid in again.grids] == [grid.rows for grid in table.grids]
