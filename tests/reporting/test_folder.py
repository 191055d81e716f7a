"""What a report reads of a run folder."""

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run

pytestmark = pytest.mark.usefixtures("stack")


class TestHistory:
    def test_an_empty_cell_stays_empty(self, tmp_path):
        from emobed_tf.reporting.folder import history

        (tmp_path / "history.csv").write_text("epoch,loss,triplet\n1,0.5,\n2,0.25,0.125\n")
        assert history(Run(tmp_path)) == [
            {"epoch": "1", "loss": "0.5", "triplet": ""},
            {"epoch": "2", "loss": "0.25", "triplet": "0.125"},
        ]

    @pytest.mark.parametrize(
        "content",
        [
            None,
            "",
            "epoch,loss\n1,much\n",
            "loss\n1\n",
            "epoch,loss\n1,2,3\n",
            "epoch,loss\n1,2\n1,2\n",
            *(f"epoch,loss\n1,2\n{epoch},2\n" for epoch in ("nan", "", "-5", "1.5", "3")),
        ],
        ids=lambda text: repr(text),
    )
    def test_damaged(self, tmp_path, content):
        from emobed_tf.reporting.folder import history

        if content is not None:
            (tmp_path / "history.csv").write_text(content)
        with pytest.raises(InputError, match="history.csv"):
            history(Run(tmp_path))


class TestPredictions:
    def written(self, folder, **files):
        (folder / "predictions" / "dev").mkdir(parents=True)
        for name, text in files.items():
            (folder / "predictions" / "dev" / f"{name}.csv").write_text(text)
        return Run(folder)

    def test_columns_by_recording(self, tmp_path):
        from emobed_tf.reporting.folder import predictions

        head = "id,time,gold_standard,raw,postprocessed\n"
        run = self.written(
            tmp_path, dev_2=f"{head}dev_2,0.0,1,2,3\n", dev_1=f"{head}dev_1,0.0,1,2,3\ndev_1,0.5,4,5,6\n"
        )
        first, second = predictions(run, "dev")
        assert (first["id"].tolist(), second["id"].tolist()) == (["dev_1", "dev_1"], ["dev_2"])
        np.testing.assert_array_equal(first["time"], [0.0, 0.5])
        np.testing.assert_array_equal(first["postprocessed"], [3.0, 6.0])

    def test_a_row_of_too_many_cells(self, tmp_path):
        from emobed_tf.reporting.folder import predictions

        run = self.written(tmp_path, a="id,time,gold_standard,raw,postprocessed\na,0,1,1,2\na,1,3,4,5,6\n")
        with pytest.raises(InputError, match=r"a\.csv: damaged \(a row has more cells than the header\)"):
            predictions(run, "dev")

    def test_an_empty_cell_is_no_gold_standard(self, tmp_path):
        from emobed_tf.reporting.folder import predictions, series_of

        run = self.written(tmp_path, a="id,time,gold_standard,raw,postprocessed\na,0,,1,2\na,1,3,4,5\n")
        (found,) = predictions(run, "dev")
        rows = [{"id": "a", "time": 0.0, "gold_standard": None}, {"id": "a", "time": 1.0, "gold_standard": 3.0}]
        for columns in (found, series_of(rows)):
            np.testing.assert_array_equal(columns["gold_standard"], [np.nan, 3])
            assert columns["gold_standard"].dtype == np.float64

    def test_not_evaluated(self, tmp_path):
        from emobed_tf.reporting.folder import predictions

        assert predictions(Run(tmp_path), "test") == []

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "id,time,gold_standard,raw,postprocessed\n",
            "id,time,gold_standard,raw\ndev_1,0,1,2\n",
            "id,time,gold_standard,raw,postprocessed\ndev_1,0,1,x,2\n",
            "id,time,gold_standard,raw,postprocessed\ndev_1,0,1\n",
            "id,time,gold_standard,raw,postprocessed\ndev_1,0,1,,2\n",
            "id,time,gold_standard,raw,postprocessed\ndev_1,0,nan,1,2\n",
        ],
    )
    def test_damaged(self, tmp_path, content):
        from emobed_tf.reporting.folder import predictions

        with pytest.raises(InputError, match=r"dev_1\.csv: damaged"):
            predictions(self.written(tmp_path, dev_1=content), "dev")
