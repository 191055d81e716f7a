"""What a manifest says of its model."""

import hashlib
import json
import shutil

import numpy as np
import pytest

import emobed_tf
from emobed_tf.runs.folder import Run
from tests.saved_model.exported import STATES

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


class TestManifest:
    def test_of_a_regression(self, arousal):
        import keras
        import tensorflow as tf

        written = json.loads((arousal.version / "manifest.json").read_text())
        facts, scores = arousal.run.facts(), arousal.run.read_json("scores.json")
        signatures = written.pop("signatures")
        assert signatures.keys() == {"serving_default", "embed", "postprocessed", "packed", "stream", "manifest"}
        lines = [f"{name} {facts.fingerprints[name]}\n" for name in sorted(facts.fingerprints)]
        provenance = json.loads((arousal.run.path / "run.json").read_text())["provenance"]
        assert written.pop("created") >= provenance["started"]
        assert written.pop("commit") == provenance["commit"]
        assert written == {
            "format": 1,
            "simulated": True,
            "model": {"corpus": "recola", "framework": "emobed", "target": "audio"},
            "task": "regression",
            "dimension": "arousal",
            "features": list(facts.features["audio"]),
            "reading": {"left_out": [], "zeros_missing": False, "settings": {}},
            "standardise": "corpus",
            "frame_seconds": 0.04,
            "label_delay_frames": 60,
            "label_delay_seconds": 2.4,
            "time": "`prediction` is in the features' time: the label delay is not undone; `postprocessed` is in the "
            "gold standard's: it is undone.",
            "states": [
                {"name": "encoder_state_1", "units": 6, "begins": 0.0},
                {"name": "encoder_state_2", "units": 6, "begins": 0.0},
                {"name": "head_state_1", "units": 5, "begins": 0.0},
            ],
            "postprocessing": {
                "window": 5,
                "gain": 1.75,
                "offset": -0.25,
                "shift": 3,
                "centred": True,
                "scaled": True,
            },
            "scores": {"dev": scores["dev"]},
            "data_fingerprint": hashlib.sha256("".join(lines).encode()).hexdigest(),
            "versions": {
                "emobed_tf": emobed_tf.__version__,
                "tensorflow": tf.__version__,
                "keras": keras.__version__,
            },
        }

    def test_of_a_classification(self, emotion):
        written = json.loads((emotion.version / "manifest.json").read_text())
        assert written["classes"] == ["anger", "calm", "joy"]
        assert "dimension" not in written
        assert written["simulated"] is False
        assert written["features"] == ["audio_0", "audio_1", "audio_2", "audio_3", "audio_4"]
        assert (written["frame_seconds"], written["label_delay_frames"], written["label_delay_seconds"]) == (None, 0, 0)
        assert written["postprocessing"] is None
        assert written["states"] == []
        assert written["signatures"].keys() == {"serving_default", "embed", "packed", "manifest"}
        assert written["signatures"]["serving_default"]["inputs"]["features"]["shape"] == [None, 1, 5]

    def test_of_a_classification_of_sequences(self, spoken):
        written = json.loads((spoken.version / "manifest.json").read_text())
        assert written["states"] == [{"name": "encoder_state_1", "units": 6, "begins": 0.0}]
        assert written["signatures"]["stream"]["inputs"]["features"]["shape"] == [None, None, 3]

    def test_states_of_other_encoders(self, another, kind):
        written = json.loads((another.version / "manifest.json").read_text())
        vectors = {name: {"units": shape[0]} for name, shape in STATES[kind].items() if len(shape) == 1}
        matrices = {name: {"shape": list(shape)} for name, shape in STATES[kind].items() if len(shape) > 1}
        sizes = {**matrices, **vectors}
        assert written["states"] == [{"name": name, **sizes[name], "begins": 0.0} for name in STATES[kind]]
        # A client that knows only vectors must not begin a stream of anything else.
        assert written["format"] == (2 if matrices else 1)

    def test_test_scores_where_there_are_some(self, arousal, tmp_path):
        from emobed_tf.runs.scoring import score_run
        from emobed_tf.saved_model.manifest import manifest

        shutil.copytree(arousal.run.path, tmp_path / "run")
        scored = Run(tmp_path / "run")
        values = score_run(scored, partitions=("test",))["test"].scores
        assert manifest(scored, {}, {})["scores"]["test"] == values

    def test_an_utterance_has_no_time(self, arousal, tmp_path):
        from emobed_tf.saved_model.manifest import manifest

        shutil.copytree(arousal.run.path, tmp_path / "run")
        run = Run(tmp_path / "run")
        values = run.read_json("run.json")
        values["facts"].update(frame_seconds={"audio": None, "video_appearance": None}, delay=0)
        run.write_json("run.json", values)
        found = manifest(run, {}, {})
        assert (found["frame_seconds"], found["label_delay_seconds"]) == (None, 0)
        assert found["time"] == "An utterance is one frame and has no time."

    def test_what_made_the_features(self, arousal, tmp_path):
        from emobed_tf.saved_model.manifest import manifest

        shutil.copytree(arousal.run.path, tmp_path / "run")
        run = Run(tmp_path / "run")
        made = {"extractor": "logmel", "version": "1", "settings": {"window": 4.0}, "licence": "for nobody"}
        assert "extraction" not in manifest(run, {}, {})
        values = run.read_json("run.json")
        values["facts"]["extraction"] = {"audio": made, "video_appearance": {**made, "licence": ""}}
        run.write_json("run.json", values)
        assert manifest(run, {}, {})["extraction"] == made

    @pytest.mark.parametrize("name", ["arousal", "emotion"])
    def test_wherever_one_looks(self, name, request):
        exported = request.getfixturevalue(name)
        text = (exported.version / "manifest.json").read_bytes()
        assert (exported.version / "assets" / "manifest.json").read_bytes() == text
        assert [asset.filename for asset in exported.server.meta_graph.asset_file_def] == ["manifest.json"]
        answer = exported.server("manifest", request=np.array([b"", b"anything"], object))["manifest"]
        assert list(answer) == [text, text]
        import tensorflow as tf

        assert tf.saved_model.load(str(exported.version)).manifest().numpy() == text, "asked without an argument"
