"""`python -m emobed_tf.check`: what would be trained on, and exit code 2 where training would end so."""

import json
import os

import pytest

from tests.commands import assert_one_line, command, process
from tests.corpora.corpus_writers import FRAMES, replace, table_text, write

pytestmark = pytest.mark.usefixtures("stack")


@pytest.fixture
def face(tmp_path):
    return write(tmp_path / "data" / "face.csv", table_text())


@pytest.fixture
def voice(face):
    return write(face.parent / "voice.csv", table_text("y", features=("F0", "index", "loudness")))


class TestData:
    def test_a_file_is_called_after_its_name(self, face):
        path = face.rename(face.parent / "2 my face.csv")
        result = command("check", path)
        assert result.returncode == 0, result.stderr
        assert "my_face: 2 features (a to b), a row for each utterance" in result.stdout
        assert not result.stderr

    def test_a_folder(self, voice):
        result = command("check", voice.parent, "--json")
        assert list(json.loads(result.stdout)["modalities"]) == ["face", "voice"]
        assert_one_line(command("check", voice.parent, voice), "a folder of tables stands alone")

    def test_names(self, face, voice):
        result = command("check", f"heard={voice}", face, "--json")
        assert list(json.loads(result.stdout)["modalities"]) == ["heard", "face"]

    def test_flags_of_train(self, face, voice):
        for flags in (("--table", f"face={face}", "--table", f"voice={voice}"), ("--data-dir", voice.parent)):
            result = command("check", *flags, "--json")
            assert list(json.loads(result.stdout)["modalities"]) == ["face", "voice"]

    def test_home(self, face, monkeypatch):
        monkeypatch.setenv("HOME", str(face.parents[1]))
        for text in ("~/data/face.csv", "seen=~/data/face.csv", "~/data"):
            result = command("check", text, "--framework", "classic", "--json")
            assert result.returncode == 0, result.stderr
            assert next(iter(json.loads(result.stdout)["modalities"])) in ("face", "seen")

    def test_home_of_nobody(self):
        for data in ("~nobody-here/face.csv", "face=~nobody-here/face.csv"):
            result = command("check", data)
            assert result.returncode == 2
            assert result.stderr.startswith("emobed_tf.check: error: ~nobody-here/face.csv: no home folder of a user")

    def test_nothing(self):
        assert_one_line(command("check"), "expected --table NAME=PATH or --data-dir DIR")

    def test_a_table_of_labels(self, tmp_path):
        features = write(tmp_path / "f.csv", "name;frameTime;F0\n'u';0;1\n'v';0;2\n'w';0;3\n'x';0;4\n")
        labels = write(tmp_path / "l.csv", "id,partition,label\nu,train,a\nv,train,b\nw,dev,a\nx,dev,b\n")
        assert_one_line(command("check", features), "no column 'partition'", "--labels")
        result = command("check", features, "--labels", labels)
        assert result.returncode == 0, result.stderr
        assert "recognised as openSMILE" in result.stdout

    def test_every_table_says_what_is_wrong_with_it(self, face, voice):
        replace(face, "joy", "")
        replace(voice, ",train,", ",learn,")
        result = command("check", face, voice)
        assert result.returncode == 2
        said = result.stderr.splitlines()
        assert len(said) == 2
        assert {line.partition(": error: ")[0] for line in said} == {"emobed_tf.check"}
        assert [str(path) in line for path, line in zip((voice, face), said, strict=True)] == [True, True]


class TestText:
    def test_classes(self, voice):
        result = command("check", voice)
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith("tables: anger, joy\n")
        assert "voice: 2 features (F0 to loudness)" in result.stdout
        assert "not used as features: index" in result.stdout
        rows = {cells[1].strip(): [cell.strip() for cell in cells[2:5]] for cells in lines(result.stdout)}
        assert rows["utterances"] == ["2", "2", "2"]
        assert rows["joy"] == ["1", "1", "1"]
        assert "warning: modality 'voice': 1 column is left out" in result.stderr

    def test_numbers(self, tmp_path):
        path = write(tmp_path / "f.csv", FRAMES + "v,0.2,dev,eve,0.6,6\n")
        replace(path, "ann,0.1,1", "ann,,1")
        result = command("check", path, "--label-delay", 0)
        assert result.returncode == 0, result.stderr
        assert "tables: regression of arousal" in result.stdout
        assert "f: 1 feature (f), a row every 0.1 s" in result.stdout
        rows = {cells[1].strip(): [cell.strip() for cell in cells[2:4]] for cells in lines(result.stdout)}
        assert rows["rows without label"] == ["1", "0"]
        assert rows["label, mean"] == ["0.1", "0.5"]  # (0 + 0.2) / 2 and (0.4 + 0.5 + 0.6) / 3


def lines(text):
    return [line.split("│") for line in text.splitlines() if line.startswith("│")]


class TestJson:
    def test_warnings_are_in_it(self, voice):
        result = command("check", voice, "--json")
        found = json.loads(result.stdout)
        assert not result.stderr
        assert found["modalities"]["voice"]["features"] == ["F0", "loudness"]
        assert list(found["modalities"]["voice"]["left_out"]) == ["index"]
        assert len(found["warnings"]) == 1
        assert "--keep index" in found["warnings"][0]
        kept = json.loads(command("check", voice, "--json", "--keep", "index").stdout)
        assert (kept["modalities"]["voice"]["features"], kept["warnings"]) == (["F0", "index", "loudness"], [])

    def test_is_json_in_every_encoding(self, tmp_path):
        """A class with a character beyond the first 65,536, and one of a single byte, in a terminal of ASCII."""
        path = write(tmp_path / "voice.csv", table_text(classes=("jöy 😀", "sad")))
        shown = process("check", path, "--json", env={**os.environ, "PYTHONIOENCODING": "ascii"})
        assert shown.returncode == 0, shown.stderr
        assert "jöy 😀" in json.loads(shown.stdout)["classes"]


class TestRefuses:
    @pytest.mark.parametrize(
        ("flags", "words"),
        [
            (("--ignore", "nothing"), ("--ignore nothing", "no table has such a column", "speaker")),
            (("--keep", "pose_*"), ("--keep pose_*",)),
            (("--column", "who=speaker"), ("--column who=speaker", "found a, b, id")),
            (("--column", "a"), ("--column a: expected NAME=MEANING",)),
            (("--column", "a=wheel"), ("--column a=wheel", "expected one of id")),
            (("--resample", "0.1"), ("--resample 0.1", "utterances")),
            (("--resample", "0"), ("--resample",)),
            (("--zeros-missing", "video"), ("--zeros-missing video", "found face")),
            (("--labels", "nowhere.csv"), ("nowhere.csv: no such file",)),
            (("--dimension", "dominanse"), ("--dimension dominanse: no table has such a column of numbers", "label")),
        ],
    )
    def test_settings_that_fit_nothing(self, face, flags, words):
        assert_one_line(command("check", face, *flags), *words)

    def test_what_training_refuses(self, face):
        replace(face, "x_train_1,train,x_train,joy", "x_train_1,train,x_train,anger")
        assert_one_line(command("check", face), "no training data of the class joy")
        write(face, "id,partition,arousal,f\na,train,4,1\nb,train,4,2\nc,dev,4,3\n")
        result = command("check", face)
        assert_one_line(result, "all training labels are 4")

    def test_a_delay_as_long_as_the_recordings(self, tmp_path):
        path = write(tmp_path / "f.csv", FRAMES)
        assert_one_line(command("check", path, "--label-delay", 9), "after the label delay of 9 s")


class TestSays:
    """What training would do silently."""

    def test_partitions_by_other_names(self, face):
        face.write_text(face.read_text().replace(",train,", ",Training,").replace(",dev,", ",devel,"))
        result = command("check", face)
        assert result.returncode == 0, result.stderr
        assert "partition 'Training' is read as train" in result.stdout
        assert "partition 'devel' is read as dev" in result.stdout
        write(face, face.read_text().replace("devel", "eval"))
        known = "train (or training); dev (or devel, development, val, valid, validation); test"
        assert_one_line(command("check", face), f"partition 'eval'; expected {known}")

    def test_no_speakers(self, tmp_path):
        text = "\n".join(",".join(c for k, c in enumerate(line.split(",")) if k != 2) for line in table_text().split())
        result = command("check", write(tmp_path / "f.csv", text + "\n"))
        assert result.returncode == 0, result.stderr
        assert (
            "no speaker column: each recording counts as a speaker, so intervals and p are too narrow" in result.stdout
        )

    def test_a_renamed_speaker_is_taken_for_one(self, face):
        replace(face, "speaker", "subj")
        words = "column 'subj': expected a number", "got 'x_train'; if it is the speaker: --column subj=speaker; if it"
        assert_one_line(command("check", face), *words)
        result = command("check", face, "--column", "subj=speaker")
        assert result.returncode == 0, result.stderr
        assert "no speaker column" not in result.stdout

    def test_a_renamed_label(self, tmp_path):
        path = write(tmp_path / "f.csv", "id,partition,speaker,target,f\nu,train,a,0,1\nv,dev,b,1,2\n")
        assert_one_line(command("check", path, "--task", "classification"), "--column NAME=label")
        assert_one_line(command("check", path), "no label", "--column NAME=label")

    def test_a_table_without_labels_beside_one_that_has_them_is_told_once(self, tmp_path, face):
        path = write(tmp_path / "f.csv", "id,partition,speaker,f\nu,train,a,1\nv,dev,b,2\n")
        assert_one_line(command("check", path, face), "f.csv: no ", "--column NAME=label", "--labels")

    def test_all_features(self, tmp_path):
        names = tuple(f"f{k}" for k in range(31))
        path = write(tmp_path / "f.csv", table_text(features=names[:30]))
        assert f"  features: {', '.join(names[:30])}\n" in command("check", path).stdout
        write(path, table_text(features=names))
        assert f"  features: {', '.join(names[:30])} and 1 more\n" in command("check", path).stdout

    def test_labels_of_frames_that_are_moved(self, tmp_path):
        path = write(tmp_path / "f.csv", FRAMES)
        result = command("check", path, "--label-delay", 0.1)
        assert result.returncode == 0, result.stderr
        assert "labels are taken to lag behind by 0.1 s, and moved back; --label-delay 0 if they don't" in result.stdout
        assert "lag behind" not in command("check", path, "--label-delay", 0).stdout

    def test_next_to_nothing_is_0(self, tmp_path):
        rows = [("a", "train", -1), ("b", "train", 0.999997), ("c", "dev", 1), ("d", "dev", -0.5)]
        text = "".join(f"{name},{part},{name},{value},{k * k}\n" for k, (name, part, value) in enumerate(rows))
        result = command("check", write(tmp_path / "f.csv", f"id,partition,speaker,arousal,f\n{text}"))
        rows = {cells[1].strip(): [cell.strip() for cell in cells[2:4]] for cells in lines(result.stdout)}
        assert rows["label, mean"] == ["0", "0.25"]
