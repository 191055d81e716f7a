"""Which label tables teach, and what becomes of each recording's."""

import warnings

import numpy as np
import pandas as pd
import pytest

from emobed_tf.corpora import load
from emobed_tf.errors import EmoBedWarning
from tests.corpora.corpus_writers import FRAMES, close, fails, only, replace, table_text, write


class TestLabels:
    @staticmethod
    def table(tmp_path, columns, *values, name="t"):
        lines = [f"id,partition,{columns},f"]
        lines += [f"{name}{index},{('train', 'dev')[index % 2]},{value},1" for index, value in enumerate(values)]
        return write(tmp_path / f"{name}.csv", "\n".join(lines) + "\n")

    def test_numbers_that_are_not_whole(self, tmp_path):
        corpus, modality = only(self.table(tmp_path, "label", "0.5", "2", "-1e1", "3"))
        assert (corpus.task, corpus.label) == ("regression", "label")
        close(modality.recordings[2].labels["label"], [-10])
        assert modality.recordings[2].labels["label"].dtype == np.float32

    def test_whole_numbers_need_the_task(self, tmp_path):
        path = self.table(tmp_path, "label", "10", "10", "9", "9.0")
        fails(lambda: only(path), "t.csv", "--task classification or --task regression")
        corpus, modality = only(path, task="classification")
        assert corpus.classes == ("9", "10")  # by number, not by letter
        assert [int(recording.labels["emotion"]) for recording in modality.recordings] == [1, 1, 0, 0]
        corpus, modality = only(path, task="regression")
        close(modality.recordings[3].labels["label"], [9])

    def test_dimensions(self, tmp_path):
        path = self.table(tmp_path, "arousal,valence", "0.1,0.2", "0.3,0.4")
        assert only(path)[0].label == "arousal"
        corpus, modality = only(path, dimension="valence")
        assert corpus.label == "valence"
        assert modality.feature_names == ("f",)  # the other dimension would give the label away
        close(modality.recordings[0].labels["valence"], [0.2])
        close(modality.recordings[0].labels["arousal"], [0.1])  # for systems that learn both

    def test_the_other_dimension_may_have_gaps(self, tmp_path):
        _, modality = only(self.table(tmp_path, "arousal,valence", "0.1,0.2", "0.3,"))
        assert [set(recording.labels) for recording in modality.recordings] == [{"arousal", "valence"}, {"arousal"}]

    def test_names_beside_dimensions(self, tmp_path):
        path = self.table(tmp_path, "label,valence", "u,0.2", "u,0.4", "v,0", "v,0")
        assert only(path)[0].task == "classification"
        corpus, modality = only(path, task="regression", dimension="valence")
        assert (corpus.task, corpus.label, modality.feature_names) == ("regression", "valence", ("f",))
        fails(lambda: only(path, task="regression"), "no column 'arousal'", "--dimension valence")

    def test_number_label_where_the_dimension_is_another(self, tmp_path):
        corpus, modality = only(self.table(tmp_path, "label,valence", "0.5,0.2", "1,0.4"), task="regression")
        assert corpus.label == "label"
        close(modality.recordings[0].labels["label"], [0.5])

    def test_withheld_in_test_only(self, tmp_path, table):
        for index, label in enumerate(("anger", "joy")):
            replace(table, f"x_test_{index},test,x_test,{label}", f"x_test_{index},test,x_test,")
        modality = only(table)[1]
        assert [recording.labels for recording in modality.partition("test")] == [{}, {}]
        replace(table, "x_dev,joy", "x_dev,")
        fails(lambda: only(table), "face.csv:5", "'label' is empty", "test")
        rows = FRAMES + "w,0.0,test,pat,,1\nw,0.1,test,pat,,1\n"
        path = write(tmp_path / "t.csv", rows)
        assert only(path)[1].partition("test")[0].labels == {}
        replace(path, "w,0.1,test,pat,", "w,0.1,test,pat,0.5")
        np.testing.assert_array_equal(only(path)[1].partition("test")[0].labels["arousal"], np.float32([np.nan, 0.5]))

    @pytest.mark.parametrize("missing", ["", "NaN", "nan", "NAN", "-nan", "NA", "?", "null"])
    def test_marks_of_missing_labels_are_no_labels(self, tmp_path, missing):
        path = self.table(tmp_path, "label", "0", "0", "1", "1")
        write(path, path.read_text() + f"w,test,{missing},1\n")
        fails(lambda: only(path), "--task classification or --task regression")
        corpus, modality = only(path, task="classification")
        assert corpus.classes == ("0", "1")
        assert modality.partition("test")[0].labels == {}
        assert only(path, task="regression")[1].partition("test")[0].labels == {}
        names = self.table(tmp_path, "label", "u", "u", "v", "v", name="n")
        write(names, names.read_text() + f"w,test,{missing},1\n")
        assert only(names)[0].classes == ("u", "v")
        replace(names, "dev,u", f"dev,{missing}")
        fails(lambda: only(names), "n.csv:3", "column 'label' is empty or marked as missing")

    def test_missing_labels_of_parquet(self, tmp_path):
        frame = pd.read_csv(self.table(tmp_path, "label", "0", "0", "1", "1"))
        frame = pd.concat([frame, frame[:1].assign(id="w", partition="test", label=np.nan)])
        frame.to_parquet(tmp_path / "t.parquet")
        fails(lambda: only(tmp_path / "t.parquet"), "--task classification or --task regression")
        assert only(tmp_path / "t.parquet", task="classification")[0].classes == ("0", "1")

    @pytest.mark.parametrize("missing", ["", "NaN", "?"])
    def test_frames_without_a_number(self, tmp_path, missing):
        path = write(tmp_path / "t.csv", FRAMES.replace("arousal", "label"))
        assert only(path)[1].recordings[0].frames == 2
        replace(path, "ann,0.1,1", f"ann,{missing},1")
        labels = {recording.id: recording.labels["label"] for recording in only(path)[1].recordings}
        np.testing.assert_array_equal(labels["u"], np.float32([0.0, np.nan, 0.2]))
        replace(path, "eve,0.5", f"eve,{missing}")
        replace(path, "eve,0.4", f"eve,{missing}")
        fails(lambda: only(path), "t.csv:6", "column 'label' is empty or marked as missing")

    @pytest.mark.parametrize("large", ["1e300", "-1.1e15", "1e30"])
    def test_a_number_whose_square_nothing_holds(self, tmp_path, large):
        path = write(tmp_path / "t.csv", FRAMES.replace("ann,0.1,1", f"ann,{large},1"))
        fails(lambda: only(path), "t.csv:7: column 'arousal' is", "too large to learn; expected 1e+15 at most")
        other = FRAMES.replace("arousal", "arousal,valence").replace("ann,0.1,1", f"ann,0.1,{large},1")
        rest = other.replace("eve,0.5", "eve,0.5,0").replace("eve,0.4", "eve,0.4,0")
        path = write(tmp_path / "o.csv", rest.replace("ann,0.2", "ann,0.2,0").replace("ann,0.0", "ann,0.0,0"))
        fails(lambda: only(path), "o.csv:7: column 'valence' is", "too large to learn")
        assert only(write(tmp_path / "p.csv", FRAMES.replace("ann,0.1,1", "ann,-1e15,1")))[0].label == "arousal"

    def test_class_missing(self, tmp_path, table):
        other = write(tmp_path / "o.csv", table_text("y", classes=("joy",)))
        message = fails(
            lambda: load("tables", tables=[("face", table), ("voice", other)]), "'voice'", "no training data"
        )
        assert "anger" in message
        three = ("anger", "calm", "joy")
        write(table, table_text("x", classes=three))
        write(other, table_text("y", classes=three, partitions=("train",)) + "d1,dev,d,joy,1,2\nd2,dev,d,calm,1,2\n")
        with pytest.warns(EmoBedWarning, match="'voice': nothing in the partition 'dev' of the class anger"):
            load("tables", tables=[("face", table), ("voice", other)])

    def test_one_class_is_nothing_to_learn(self, table):
        for partition in ("train", "dev"):
            text = table_text().replace(f"x_{partition},joy", f"x_{partition},anger")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", EmoBedWarning)
                message = fails(lambda text=text: only(write(table, text)), "")
            assert "partition" in message or "no training data of the class joy" in message
        text = table_text().replace(",joy,", ",anger,")
        fails(lambda: only(write(table, text)), "all recordings of the partition 'train' are 'anger'")
        fails(lambda: only(write(table, text), partitioned=False), "are 'anger'")

    def test_no_label(self, tmp_path):
        path = write(tmp_path / "t.csv", "id,partition,f\nu,train,1\nv,dev,1\n")
        fails(lambda: only(path), "t.csv: no label", "'label', 'arousal' or 'valence'")
        fails(lambda: only(path, task="regression"), "no column 'label'", "none")
        fails(lambda: only(path, task="classification"), "no column 'label'")
        names = self.table(tmp_path, "label", "u", "u", name="n")
        fails(lambda: only(names, task="regression"), "n.csv:2", "expected a number", "'u'")


def test_a_label_that_float32_does_not_hold(tmp_path):
    path = write(tmp_path / "m.csv", FRAMES.replace(",0.4,4", ",-1e308,4"))
    fails(lambda: only(path), "m.csv:6: column 'arousal' is -1e+308, too large to learn")
