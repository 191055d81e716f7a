"""`kept_corpus`: what `load_corpus` gives, read once."""

import numpy as np
import pytest

from emobed_tf import corpora
from emobed_tf.config import preset
from emobed_tf.corpora import configured as dataset
from emobed_tf.corpora.configured import kept_corpus, load_corpus
from emobed_tf.errors import InputError


@pytest.fixture
def reads(monkeypatch):
    """What was read, each time."""
    monkeypatch.setattr(dataset, "_kept", {})
    found, load = [], corpora.load

    def counted(*arguments, **named):
        found.append(named)
        return load(*arguments, **named)

    monkeypatch.setattr(corpora, "load", counted)
    return found


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


class TestKeptCorpus:
    def test_is_what_load_corpus_gives(self, settings, recola):
        for config in (settings, preset("recola").replace(data_dir=recola, framework="classic")):
            expected, found = load_corpus(config), kept_corpus(config)
            assert found[0] == expected[0]
            assert_same(found[1], expected[1])

    def test_is_read_once(self, settings, reads):
        first = kept_corpus(settings)
        other = kept_corpus(settings.replace(alpha=0.9, seed=7, target="face"))
        assert len(reads) == 1
        assert other[1] is first[1]
        assert (other[0].objective.alpha, other[0].training.seed, other[0].data.target) == (0.9, 7, "face")
        assert other[0].data.auxiliary == ("audio",)

    def test_other_data_are_read(self, recola, reads):
        config = preset("recola").replace(data_dir=recola)
        arousal = kept_corpus(config)[1]
        valence = kept_corpus(config.replace(dimension="valence"))[1]
        classic = kept_corpus(config.replace(framework="classic"))[1]
        assert (arousal.label, valence.label, list(classic.modalities)) == ("arousal", "valence", ["audio"])
        assert len(reads) == 3
        assert kept_corpus(config)[1] is arousal

    def test_a_changed_file_is_read_again(self, settings, reads):
        before = kept_corpus(settings)[1]
        file = settings.data.data_dir / "audio.csv"
        file.write_text(file.read_text().replace("anger", "joy", 1))
        after = kept_corpus(settings)[1]
        assert after.fingerprints != before.fingerprints
        assert kept_corpus(settings)[1] is after
        assert len(reads) == 2

    def test_a_new_table_is_seen(self, settings, reads):
        kept_corpus(settings)
        folder = settings.data.data_dir
        (folder / "gaze.csv").write_text((folder / "face.csv").read_text())
        assert list(kept_corpus(settings)[1].modalities) == ["audio", "face", "gaze"]

    def test_a_missing_file_is_told(self, settings, reads):
        kept_corpus(settings)
        for name in ("audio", "face"):
            (settings.data.data_dir / f"{name}.csv").unlink()
        with pytest.raises(InputError, match=str(settings.data.data_dir)):
            kept_corpus(settings)

    def test_only_a_few_stay(self, tables, tmp_path, reads):
        def of(k):
            folder = tmp_path / str(k)
            folder.mkdir(exist_ok=True)
            file = folder / "audio.csv"
            if not file.exists():
                file.write_text((tables / "audio.csv").read_text())
            return kept_corpus(preset("tables").replace(data_dir=folder, framework="classic"))[1]

        first = of(0)
        for k in (1, 2, 3):
            of(k)
        assert of(0) is first  # the first is the last used now, the second the longest unused
        of(4)
        assert of(0) is first
        assert len(reads) == 5
        of(1)
        assert len(reads) == 6
        assert len(dataset._kept) == 4
