"""Data sets that stay in memory: what `load_corpus` gives, read once."""

from pathlib import Path

import numpy as np
import pytest

from emobed_tf import corpora
from emobed_tf.config import preset
from emobed_tf.corpora.configured import CorpusCache, data_name, load_corpus, moved
from emobed_tf.errors import InputError, MissingInputError
from tests.corpora.corpus_writers import fails, write


@pytest.fixture
def reads(monkeypatch):
    """What was read, each time."""
    found, load = [], corpora.load

    def counted(*arguments, **named):
        found.append(named)
        return load(*arguments, **named)

    monkeypatch.setattr(corpora, "load", counted)
    return found


@pytest.fixture
def cache():
    return CorpusCache()


@pytest.fixture
def settings(tables, tmp_path):
    """A configuration on tables that may be changed."""
    for name in ("audio", "face"):
        (tmp_path / f"{name}.csv").write_text((tables / f"{name}.csv").read_text())
    return preset("tables").replace(data_dir=tmp_path, target="audio")


def assert_same(one, other):
    assert one.fingerprints == other.fingerprints
    assert one.modalities.keys() == other.modalities.keys()
    for name, modality in one.modalities.items():
        for a, b in zip(modality.recordings, other.modalities[name].recordings, strict=True):
            assert a.id == b.id
            np.testing.assert_array_equal(a.features, b.features)


@pytest.mark.parametrize(
    ("dataset", "data_dir", "tables", "expected"),
    [
        ("tables", None, ("a=x/voice.csv",), "voice.csv"),
        ("tables", None, ("a=x/voice.csv", "b=face.parquet", "c=gait"), "voice.csv, face.parquet and gait"),
        ("tables", "corpora/mine", (), "mine"),
        ("omg", "anywhere", ("gait=gait.csv",), "OMG-Emotion and gait.csv"),
    ],
)
def test_what_data_are_called(dataset, data_dir, tables, expected):
    directory = None if data_dir is None else Path(data_dir)
    assert data_name(preset(dataset).replace(data_dir=directory, table=tables).data) == expected


class TestCorpusCache:
    def test_is_what_load_corpus_gives(self, cache, settings, recola):
        for config in (settings, preset("recola").replace(data_dir=recola, framework="classic")):
            expected, found = load_corpus(config), cache.load(config)
            assert found[0] == expected[0]
            assert_same(found[1], expected[1])

    def test_is_read_once(self, cache, settings, reads):
        first = cache.load(settings)
        other = cache.load(settings.replace(alpha=0.9, seed=7, target="face"))
        assert len(reads) == 1
        assert other[1] is first[1]
        assert (other[0].objective.alpha, other[0].training.seed, other[0].data.target) == (0.9, 7, "face")
        assert other[0].data.auxiliary == ("audio",)

    def test_other_data_are_read(self, cache, recola, reads):
        config = preset("recola").replace(data_dir=recola)
        arousal = cache.load(config)[1]
        valence = cache.load(config.replace(dimension="valence"))[1]
        classic = cache.load(config.replace(framework="classic"))[1]
        assert (arousal.label, valence.label, list(classic.modalities)) == ("arousal", "valence", ["audio"])
        assert len(reads) == 3
        assert cache.load(config)[1] is arousal

    def test_a_changed_file_is_read_again(self, cache, settings, reads):
        before = cache.load(settings)[1]
        file = settings.data.data_dir / "audio.csv"
        file.write_text(file.read_text().replace("anger", "joy", 1))
        after = cache.load(settings)[1]
        assert after.fingerprints != before.fingerprints
        assert cache.load(settings)[1] is after
        assert len(reads) == 2

    def test_a_new_table_is_seen(self, cache, settings, reads):
        cache.load(settings)
        folder = settings.data.data_dir
        (folder / "gaze.csv").write_text((folder / "face.csv").read_text())
        assert list(cache.load(settings)[1].modalities) == ["audio", "face", "gaze"]

    def test_a_missing_file_is_told(self, cache, settings, reads):
        cache.load(settings)
        for name in ("audio", "face"):
            (settings.data.data_dir / f"{name}.csv").unlink()
        with pytest.raises(InputError, match=str(settings.data.data_dir)):
            cache.load(settings)

    def test_only_a_few_stay(self, cache, tables, tmp_path, reads):
        def of(k):
            folder = tmp_path / str(k)
            folder.mkdir(exist_ok=True)
            file = folder / "audio.csv"
            if not file.exists():
                file.write_text((tables / "audio.csv").read_text())
            return cache.load(preset("tables").replace(data_dir=folder, framework="classic"))[1]

        first = of(0)
        for k in (1, 2, 3):
            of(k)
        assert of(0) is first  # the first is the last used now, the second the longest unused
        of(4)
        assert of(0) is first
        assert len(reads) == 5
        of(1)
        assert len(reads) == 6

    def test_none_stays_once_closed(self, cache, settings, reads):
        first = cache.load(settings)[1]
        cache.close()
        assert cache.load(settings)[1] is not first
        cache.load(settings)
        assert len(reads) == 3

    def test_two_caches_share_nothing(self, cache, settings, reads):
        assert CorpusCache().load(settings)[1] is not cache.load(settings)[1]


class TestMoved:
    """A run's data in another place: its own folder, tables from it and from elsewhere, labels beside them."""

    @pytest.fixture
    def before(self, tmp_path):
        for name in ("old/audio.csv", "old/more/face.csv", "away/gait.csv", "old/labels.csv"):
            write(tmp_path / name, "id,f\n")
        places = {"audio": "old/audio.csv", "face": "old/more/face.csv", "gait": "away/gait.csv"}
        tables = tuple(f"{name}={tmp_path / path}" for name, path in places.items())
        return preset("tables").replace(data_dir=tmp_path / "old", table=tables, labels=tmp_path / "old/labels.csv")

    def test_nothing(self, before):
        assert moved(before, None, (), ("audio", "gait")) == before

    def test_all_of_it(self, before, tmp_path):
        (tmp_path / "old").rename(tmp_path / "new")
        found = moved(before, tmp_path / "new", (), ("audio", "face", "gait"))
        assert found.data.data_dir == tmp_path / "new"
        assert found.reading.labels == tmp_path / "new/labels.csv"
        places = [entry.partition("=")[2] for entry in found.data.table]
        assert places == [str(tmp_path / path) for path in ("new/audio.csv", "new/more/face.csv", "away/gait.csv")]

    def test_tables_without_a_folder(self, before, tmp_path):
        write(tmp_path / "new/gait.csv", "id,f\n")
        found = moved(before.replace(data_dir=None), tmp_path / "new", (), ("gait",))
        assert found.data.data_dir is None
        assert found.data.table[2] == f"gait={tmp_path / 'new/gait.csv'}"

    def test_one_that_is_named(self, before, tmp_path):
        other = write(tmp_path / "elsewhere.csv", "id,f\n")
        assert moved(before, None, (f"audio={other}",), ("audio",)).data.table[0] == f"audio={other}"

    def test_what_is_not_there_is_told_with_the_remedy(self, before, tmp_path):
        (tmp_path / "away/gait.csv").unlink()
        moved(before, None, (), ("audio",))  # gait isn't needed
        message = fails(lambda: moved(before, None, (), ("gait",)), "gait.csv: no such file", error=MissingInputError)
        assert "--table gait=PATH" in message and "--data-dir FOLDER" in message
        (tmp_path / "old/labels.csv").unlink()
        fails(lambda: moved(before, None, (), ("audio",)), "labels.csv: no such file", error=MissingInputError)
