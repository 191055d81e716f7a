"""What a table says of each row: scores and differences of constructed results, the paper's values beside them."""

import dataclasses

from emobed_tf.comparison.protocol import CellResult
from emobed_tf.comparison.reproduction import published
from emobed_tf.comparison.reproduction.plan import plan_table
from emobed_tf.comparison.tables.entries import table_entries
from emobed_tf.config import preset
from tests.comparison.tables.constructed import results


class TestEntries:
    def test_published_beside_the_same_data_only(self, plan):
        real = table_entries(plan, results(plan), "ccc", simulated=False)
        found = {(e.row, e.scenario.target): e.published for e in real}
        assert found["emobed", "audio"] == {"dev": 0.792, "test": 0.644}
        assert found[published.END_TO_END, "video_appearance"] == {"dev": 0.371, "test": 0.435}
        assert found["early", "audio"] == {}
        assert all(not e.published for e in table_entries(plan, results(plan), "ccc", simulated=True))

    def test_no_published_beside_own_tables(self, tables):
        own = plan_table(3, preset("tables").replace(data_dir=tables), rows=["classic", "svm"])
        assert all(not e.published for e in table_entries(own, results(own), "ccc", simulated=False))

    def test_differences_are_from_classic_of_the_same_target(self, plan):
        for entry in table_entries(plan, results(plan), "ccc", simulated=True):
            if entry.row == "emobed":
                assert entry.differences["test"].difference > 0.05
                assert entry.differences["test"].exchange.p_value == 1 / 512  # better on each of nine speakers
            elif entry.row in ("classic", published.END_TO_END):
                assert entry.differences == {}
            else:
                assert entry.differences["test"].difference == 0
                assert entry.differences["test"].exchange.p_value == 1

    def test_a_row_whose_weights_are_0_is_classic(self, plan):
        """Joint has no beta to choose, and triplet no alpha; what has no weight at all isn't classic for that.

        A shared trunk has another network than classic, whatever its weights.
        """
        chosen = {
            "joint": {"alpha": 0.0},
            "trunk": {"alpha": 0.0},
            "triplet": {"beta": 0.1},
            "emobed": {"alpha": 0.0, "beta": 0.0},
        }
        given = [dataclasses.replace(r, settings=chosen.get(r.cell.system, r.settings)) for r in results(plan)]
        found = {entry.row: entry.is_classic for entry in table_entries(plan, given, "ccc", simulated=True)}
        assert {row for row, is_classic in found.items() if is_classic} == {"joint", "emobed"}

    def test_a_row_that_aligns_modalities_is_not_classic(self, plan):
        """Neither by a weight of its own, nor where all rows do; with both of its weights 0 it is."""

        def found(plan, weight):
            settings = {"joint": {"alpha": 0.0}, "aligned": {"alpha": 0.0, "alignment_weight": weight}}
            given = [dataclasses.replace(r, settings=settings.get(r.cell.system, r.settings)) for r in results(plan)]
            entries = table_entries(plan, given, "ccc", simulated=True)
            return {entry.row for entry in entries if entry.is_classic}

        assert found(plan, 0.5) == {"joint"}
        assert found(plan, 0.0) == {"joint", "aligned"}
        shared = dataclasses.replace(plan, config=plan.config.replace(alignment="cmd"))
        assert found(shared, 0.5) == set()

    def test_differences_from_another_reference(self, plan):
        other = dataclasses.replace(plan, reference="emobed")
        found = {e.row: e.differences for e in table_entries(other, results(plan), "ccc", simulated=True)}
        assert found["emobed"] == {}
        assert found["classic"]["test"].difference < -0.05

    def test_seeds_that_one_lacks_are_not_compared(self, plan):
        given = results(plan)
        for k, result in enumerate(given):
            if result.cell.system == "emobed":
                given[k] = CellResult(result.cell, result.settings, result.tried, result.runs[1:], "one failed")
        entry = next(e for e in table_entries(plan, given, "ccc", simulated=True) if e.row == "emobed")
        assert len(entry.scores["test"].values) == 2
        assert entry.differences["test"].exchange.p_value == 1 / 512
