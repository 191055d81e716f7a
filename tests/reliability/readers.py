"""Everything that reads a stranger's file: small valid files of each kind, and what reading one means."""

import contextlib
import gzip
import io
import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from emobed_tf.comparison.ledger import Ledger
from emobed_tf.config import preset, read_config
from emobed_tf.corpora import arff, load
from emobed_tf.corpora.cache import FeatureCache
from emobed_tf.corpora.extraction import extraction_of, sidecar
from emobed_tf.corpora.featuretable import read_features
from emobed_tf.corpora.prediction import as_manifest_says
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.files import parse_json
from emobed_tf.models.build import build_model
from emobed_tf.models.optimizer import FusedAdam
from emobed_tf.models.weights import set_weight_arrays
from emobed_tf.recordings.audio import Sound
from emobed_tf.recordings.labelfiles import read_label_file
from emobed_tf.recordings.listing import read_listing
from emobed_tf.recordings.pictures import Segment, look
from emobed_tf.recordings.soundfiles import SUFFIXES
from emobed_tf.reporting import folder as reported
from emobed_tf.runs.folder import Run
from emobed_tf.saved_model.manifest import manifest
from emobed_tf.saved_model.predecessor import warn_of_another_model
from emobed_tf.settings import Reading
from emobed_tf.training.run_recorder import RunRecorder
from serving import body, inputs
from serving.rest import CODES, RestError
from tests.conftest import ROOT
from tests.corpora.corpus_writers import FRAMES, arff_text, gold_text, omg, recola, table_text
from tests.recordings.films import grey, write_film
from tests.recordings.sounds import noise, write, write_video

FORMER = ROOT / "tests" / "data" / "former_runs"
LONGEST_MESSAGE = 2000  # characters


@dataclass(frozen=True)
class Source:
    """What is read, made ready in a folder.

    Attributes:
        seeds: small valid files.
        read: reads one of any content. What it raises but InputError and RestError is a finding.
    """

    seeds: tuple[bytes, ...]
    read: Callable[[bytes], Any]


def outcome(source, content):
    """What is said of a content: nothing if it could be read, else one line. Anything else is raised."""
    try:
        source.read(content)
    except (InputError, RestError) as error:
        refused = error
    else:
        return ""
    said = str(refused)
    if isinstance(refused, RestError):
        assert refused.code in CODES  # the words are TensorFlow Serving's, in lines
    else:
        assert said and len(said.splitlines()) == 1, f"not one line: {said[:300]!r}"
        assert len(said) < LONGEST_MESSAGE, f"{len(said)} characters: {said[:300]!r}"
    return said


@contextlib.contextmanager
def strict_about_warnings():
    """What is doubtful may be said; a warning of a library's is a finding."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", EmoBedWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield


def assert_numbers(values, shape, *dtypes):
    assert values.dtype in (dtypes or (np.float32,)), values.dtype
    assert values.shape == shape, f"{values.shape} instead of {shape}"


def of_path(seeds, suffix, function):
    """A source that is a file: `function` takes its path."""

    def prepared(folder):
        path = folder / f"stranger{suffix}"

        def read(content):
            path.write_bytes(content)
            function(path)

        return Source(tuple(seed.encode() if isinstance(seed, str) else seed for seed in seeds(folder)), read)

    return prepared


# ARFF files


def arff_features(folder):
    def read(content):
        names, values, start = arff.parse_features(content, folder / "train_1.arff")
        assert_numbers(values, (len(values), len(names)))
        assert np.isfinite(start) and not np.isinf(values).any()

    texts = (
        arff_text([[1, -2.5], ["?", "1e-3"], [3, 4]], names=["f_0", "mfcc[1]"]),
        arff_text([[1], [2]], time_name="'timeStamp'", end="\r\n").replace("@data", "% a comment\n@DATA"),
    )
    return Source(tuple(text.encode() for text in texts), read)


def arff_gold(folder):
    def read(content):
        values, start = arff.parse_gold_standard(content, folder / "train_1.arff")
        assert_numbers(values, (len(values),))
        assert np.isfinite(start) and (np.abs(values) <= 1).all()

    return Source((gold_text("train_1", [0.25, -1, 1e-3]).encode(), gold_text("'train_1'", [0]).encode()), read)


# Tables

OPENSMILE = """@relation x
@attribute name string
@attribute frameTime numeric
@attribute F0final_sma numeric
@attribute pcm_RMSenergy numeric
@attribute arousal numeric
@data
'unknown',0.0,1.5,2,0.5
'unknown',0.01,?,3,-1
'unknown',0.02,2.5,-4e-2,0
"""
UTTERANCES = """@relation x
@attribute id string
@attribute partition {train,dev,test}
@attribute speaker string
@attribute label string
@attribute a numeric
@attribute b real
@data
u,train,ann,joy,1,2
v,train,ann,calm,?,-3e-2
w,dev,ben,joy,0.5,2
'x',dev,ben,calm,2,4
"""
AUDFORMAT = """file,start,end,partition,speaker,label,a,b
x/1.wav,0 days 00:00:00,0 days 00:00:01.5,train,ann,joy,1,2
x/1.wav,0 days 00:00:01.5,NaT,train,ann,calm,,3
2.wav,0,1.25,dev,ben,joy,0.5,NaN
3.wav,,,dev,ben,calm,1e-3,4
4.wav,0.5,00:01:30,test,eve,joy,5,6
"""
MUSE = """time;id;arousal;f0;"f ""1"" "
0;1;0.25;0.5;2
0.25;1;-1;1;3
0.5;1;0;1.5;
"""


def as_table(path):
    """A table of features as prediction reads it, and as training and `check` do."""
    found = read_features(path, "m", Reading(), "arousal").table
    assert_numbers(found.features, (len(found), len(found.feature_names)))
    assert all(len(values) == len(found) for values in (*found.texts.values(), *found.numbers.values()))
    for values in found.numbers.values():
        assert_numbers(values, (len(found),), np.float64, np.float32)
    extraction_of(path)
    for partitioned in (True, False) if "partition" in found.texts else (False,):
        modality = load("tables", tables=[("m", path)], partitioned=partitioned).modality("m")
        for recording in modality.recordings:
            assert_numbers(recording.features, (recording.frames, len(modality.feature_names)))


def parquet_seeds(folder):
    frames = pd.read_csv(io.StringIO(FRAMES))
    utterances = pd.read_csv(io.StringIO(table_text()))
    audformat = pd.read_csv(io.StringIO(AUDFORMAT)).assign(start=pd.to_timedelta([0, 1.5, 0, None, 2], unit="s"))
    audformat["end"] = audformat["start"] + pd.to_timedelta(1, unit="s")
    for frame, options in (
        (frames, {"compression": "none", "use_dictionary": False}),
        (utterances.astype({"label": "category"}), {}),
        (audformat.set_index(["file", "start", "end"]), {"compression": "zstd", "version": "1.0"}),
    ):
        sink = io.BytesIO()
        parquet.write_table(pa.Table.from_pandas(frame), sink, **options)
        yield sink.getvalue()


LISTING = """id,file,start,end,partition,speaker,label,arousal,label_file,note
u,a/1.wav,0.5,1.25,training,anna,joy,0.5,1.csv,hm
v,a/1.wav,0 days 00:00:01.5,00:01:30,devel,anna,anger,,,"h""m"
w,/b/2.flac,,,test,ben,joy,-1,2.csv,hm
"""


def as_listing(path):
    found = read_listing(path)
    assert len(found.entries) == len(found.table)
    for entry in found.entries:
        assert 0 <= entry.start < (np.inf if entry.end is None else entry.end)
    found.where(found.entries[-1])


def as_labels(path):
    track = read_label_file(path, "arousal")
    assert_numbers(track.times, track.times.shape, np.float64)
    for values in track.values.values():
        assert_numbers(values, track.times.shape, np.float64, np.float32)
    track.at(np.arange(5) / 4)


def label_seeds(folder):
    return ("time,arousal,note\n0,0.5,1\n1,,2\n2,-0.25,3\n", "\ufefftime;valence;arousal\r\n0;1;?\r\n0.04;-1;1e-3\r\n")


MADE = {"extractor": "logmel", "version": "1", "settings": {"window": 4.0, "bins": [1, 2]}, "licence": ""}


def extraction(folder):
    path = folder / "audio.csv"

    def read(content):
        sidecar(path).write_bytes(content)
        found = extraction_of(path)
        if found is not None:
            str(found)
            json.dumps(found.settings).encode()

    return Source((json.dumps(MADE).encode(), json.dumps(MADE, indent=2).encode()), read)


def ratings(folder):
    root = recola(folder / "recola")
    path = root / "ratings_individual" / "arousal" / "train_1.csv"
    return _in_data_set("recola", root, path)


def omg_labels(folder):
    root = omg(folder / "omg")
    return _in_data_set("omg", root, root / "omg_TrainVideos.csv")


def _in_data_set(name, root, path):
    seed = path.read_bytes()

    def read(content):
        path.write_bytes(content)
        corpus = load(name, root, modalities=("audio",))
        for recording in corpus.modality("audio").recordings:
            for values in (*recording.labels.values(), *recording.ratings.values()):
                assert np.ndim(values) == 0 or len(values) == recording.frames

    return Source((seed,), read)


def cached(folder):
    cache, fingerprint = FeatureCache(1, folder / "cache"), "3f" * 32
    large = np.arange(300_000, dtype=np.float32).reshape(100, 3000)  # is mapped
    cache.store(fingerprint, [f"f{k}" for k in range(3000)], large, 0.5)
    head = cache.path(fingerprint).read_bytes()[:18_000]
    cache.store(fingerprint, ["a", "b"], large[:2, :2], 0.0)

    def read(content):
        cache.path(fingerprint).write_bytes(content)
        found = cache.load(fingerprint)
        if found is not None:
            names, features, start = found
            assert_numbers(features, (len(features), len(names)))
            assert isinstance(start, float)

    return Source((cache.path(fingerprint).read_bytes(), head), read)


# Runs


def settings_of_a_file(path):
    config = read_config(path)
    config.check_ranges()
    config.check()
    config.of_framework("joint")


def config_seeds(folder):
    trained = (FORMER / "regression" / "run" / "config.json").read_text()
    return (trained, json.dumps(preset("omg").to_dict()), '{"framework": "joint", "alpha": 0.5}')


def of_run(name, *tasks):
    """A file of a run folder, in its place beside the others of the run's."""

    def prepared(folder):
        runs = {task: Run(shutil.copytree(FORMER / task / "run", folder / task)) for task in tasks}
        for run in runs.values():
            settings = run.config().to_dict()
            reads = [{"when": "2026-01-01", "command": ["x"], "emobed_tf": "1", "best_epoch": 1, "settings": settings}]
            run.write_json("test_reads.json", {"reads": reads})
        models = {task: build_model(run.config(), run.facts()) for task, run in runs.items()}
        for model in models.values():
            keras.Model.compile(model, FusedAdam())

        def read(content):
            task = "classification" if b"classification" in content or b"confusion" in content else "regression"
            task = task if task in runs else tasks[0]
            run, model = runs[task], models[task]
            path = run.path / name
            whole = path.read_bytes()
            path.write_bytes(content)
            try:
                _all_of(run, model, name)
            finally:
                path.write_bytes(whole)

        return Source(tuple((run.path / name).read_bytes() for run in runs.values()), read)

    return prepared


def _all_of(run, model, name):
    Run.open(run.path)
    if name.endswith(".csv"):
        assert len(run.history()) == len(reported.history(run))
    elif name == "best.npz":
        set_weight_arrays(model, run.read_arrays("best"))
    elif name == "last.npz":
        RunRecorder(run, "score", 0).restore(model)
    else:
        run.chain(), run.scores(), run.history(), run.test_reads(), run.selection, run.test_scored
        json.dumps(manifest(run, {}, {}), allow_nan=False).encode()


def predictions(folder):
    run = Run(shutil.copytree(FORMER / "regression" / "run", folder / "run"))
    path = next(run.predictions_folder("dev").glob("*.csv"))
    seed = b"".join(path.read_bytes().splitlines(keepends=True)[:12])
    shutil.rmtree(path.parent)
    path.parent.mkdir()

    def read(content):
        path.write_bytes(content)
        for columns in reported.predictions(run, "dev"):
            assert len({len(values) for values in columns.values()}) == 1
        run.predictions("dev")

    return Source((seed,), read)


def ledger(folder):
    path, identity = folder / "trials.jsonl", {"settings": {"learning_rate": 0.001}, "data": {"a.csv": "3f"}}
    with contextlib.closing(Ledger(path, identity, began_with={"search": "shared"})) as begun:
        for seed in range(2):
            begun.add({"value": 0.5, "seed": seed}, {"score": seed / 10, "chain": None})

    def read(content):
        path.write_bytes(content)
        with contextlib.closing(Ledger(path, identity, defaults={"settings": {"epoch": 1}})) as found:
            for key, record in found.items():
                assert key in found and found[key] == record

    return Source((path.read_bytes(), path.read_bytes().replace(b'"format": 2', b'"format": 1')), read)


# Recordings


def of_sound(suffix, *subtypes):
    def seeds(folder):
        for k, subtype in enumerate(subtypes):
            rate, channels = ((44_100, 2), (16_000, 1))[k % 2]
            samples = np.stack([noise(0.02, rate, seed=channel) for channel in range(channels)], axis=1)
            yield write(folder / f"seed{suffix}", samples, rate, subtype=subtype).read_bytes()

    return of_path(seeds, suffix, as_sound)


def as_sound(path):
    sound = Sound(path)
    for block in sound.blocks():
        assert_numbers(block, block.shape[:1])
        assert np.isfinite(block).all()
    assert all(len(note.splitlines()) == 1 for note in sound.notes)
    assert path.suffix not in SUFFIXES or sound.channels > 0


def films(folder):
    """Sound beside a picture."""
    yield write_video(folder / "seed.mkv", noise(0.1, 8_000), 8_000, 0.2).read_bytes()
    yield write_video(folder / "seed.mp4", noise(0.1, 16_000), 16_000, 0.2).read_bytes()


def films_and_more(folder):
    """Beside them one that lies on its side, with narrow pixels."""
    yield from films(folder)
    pictures = [grey(level) for level in (0, 100, 200)]
    yield write_film(folder / "turned.mp4", pictures, 10, turned=90, aspect=Fraction(1, 2)).read_bytes()


def as_pictures(path):
    def see(picture, seconds):
        assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
        return round(seconds, 3)

    notes = []
    for segment in (Segment(path), Segment(path, 0.05, 0.15)):
        seen, seconds = look(segment, see, notes, 0.04)
        assert len(seen) >= 1 and seconds > 0
    assert all(len(note.splitlines()) == 1 for note in notes)


# What is served


def exported(folder):
    """A manifest as a client and the next export read it."""
    run = Run(FORMER / "regression" / "run")
    now = manifest(run, {"serving_default": {"inputs": {}}}, {"h": (3,)})
    other = manifest(Run(FORMER / "classification" / "run"), {}, {"h": (3, 2)})
    path = folder / "model" / "1" / "manifest.json"
    path.parent.mkdir(parents=True)

    def read(content):
        path.write_bytes(content)
        warn_of_another_model(folder / "model", now, path.name)
        try:
            said = parse_json(content)
        except ValueError:
            return
        if not isinstance(said, dict) or "format" not in said:  # a client has refused it by then
            return
        rules = as_manifest_says(said)
        assert isinstance(rules["modality"], str) and isinstance(rules["reading"], Reading)
        assert all(isinstance(name, str) for name in (*rules["feature_names"], *rules["left_out"], rules["label"]))
        assert rules["frame_seconds"] is None or rules["frame_seconds"] > 0
        assert rules["zeros_missing"] in (None, True, False)

    return Source((json.dumps(now, indent=2).encode(), json.dumps(other).encode()), read)


MOST_OF_A_BODY, MOST_ELEMENTS = 10**6, 10**4
DTYPES = (
    {"features": "float"},
    {"features": "float", "lengths": "int32"},
    {"text": "string"},
    {"a": "double", "b": "bool", "c": "uint8"},
)


def request(folder):
    """A body of a request, packed or not, for signatures of several kinds."""

    def read(content):
        packed = content.startswith(b"\x1f\x8b")
        text = body.uncompressed(content, MOST_OF_A_BODY) if packed else content
        body.check_elements(text, MOST_ELEMENTS)
        document = body.parse(text)
        inputs.signature_name(document)
        refused = []
        for dtypes in DTYPES:
            try:
                tensors, _ = inputs.read(document, dtypes)
            except RestError as error:
                refused.append(error)
                continue
            assert set(tensors) == set(dtypes)
            for name, dtype in dtypes.items():
                kinds = {"float": np.float32, "double": np.float64, "int32": np.int32, "uint8": np.uint8, "bool": bool}
                assert tensors[name].dtype == kinds.get(dtype, object)
        if len(refused) == len(DTYPES):
            raise refused[0]

    seeds = [
        {"signature_name": "embed", "instances": [[[1, 2.5], [-3e-2, 4]], [[0, 1], [2, 3]]]},
        {"inputs": {"features": [[1.5, 2], [3, 4]], "lengths": [2, 1]}},
        {"instances": [{"features": [1, 2], "lengths": 2}, {"features": [3, 4], "lengths": 1}]},
        {"instances": [{"b64": "AAECAw=="}, "text"]},
        {"inputs": {"a": [[]], "b": [True, False], "c": [255]}},
    ]
    texts = [json.dumps(seed).encode() for seed in seeds]
    return Source((*texts, b"\xef\xbb\xbf" + texts[0].replace(b"2.5", b"NaN"), gzip.compress(texts[1])), read)


@dataclass(frozen=True)
class Reader:
    """Something that reads a file.

    Attributes:
        suffix: of the file.
        prepare: makes what it needs in an empty folder.
        needs: module without which there is nothing to read; "" for none.
    """

    suffix: str
    prepare: Callable[[Path], Source]
    needs: str = ""


BOTH = ("regression", "classification")
READERS = {
    "arff_features": Reader(".arff", arff_features),
    "arff_gold": Reader(".arff", arff_gold),
    "arff_table": Reader(".arff", of_path(lambda _: (OPENSMILE, UTTERANCES), ".arff", as_table)),
    "csv_table": Reader(".csv", of_path(lambda _: (table_text(), FRAMES, AUDFORMAT, MUSE), ".csv", as_table)),
    "parquet_table": Reader(".parquet", of_path(parquet_seeds, ".parquet", as_table)),
    "listing": Reader(".csv", of_path(lambda _: (LISTING, AUDFORMAT, "file\na/1.wav\nb/1.wav\n"), ".csv", as_listing)),
    "label_file": Reader(".csv", of_path(label_seeds, ".csv", as_labels)),
    "extraction": Reader(".csv.json", extraction),
    "ratings": Reader(".csv", ratings),
    "omg_labels": Reader(".csv", omg_labels),
    "cache": Reader(".npy", cached),
    "config": Reader(".json", of_path(config_seeds, ".json", settings_of_a_file)),
    "run": Reader(".json", of_run("run.json", *BOTH)),
    "scores": Reader(".json", of_run("scores.json", *BOTH)),
    "test_reads": Reader(".json", of_run("test_reads.json", "regression")),
    "postprocessing": Reader(".json", of_run("postprocessing.json", "regression")),
    "history": Reader(".csv", of_run("history.csv", "regression")),
    "best": Reader(".npz", of_run("best.npz", "regression")),
    "last": Reader(".npz", of_run("last.npz", "regression")),
    "predictions": Reader(".csv", predictions),
    "ledger": Reader(".jsonl", ledger),
    "wav": Reader(".wav", of_sound(".wav", "PCM_16", "FLOAT", "PCM_U8", "MS_ADPCM"), "soundfile"),
    "flac": Reader(".flac", of_sound(".flac", "PCM_16", "PCM_24"), "soundfile"),
    "ogg": Reader(".ogg", of_sound(".ogg", "VORBIS", "OPUS"), "soundfile"),
    "video_sound": Reader(".mp4", of_path(films, ".film", as_sound), "av"),
    "pictures": Reader(".mp4", of_path(films_and_more, ".film", as_pictures), "av"),
    "manifest": Reader(".json", exported),
    "request": Reader(".json", request),
}
"""All of them by name."""
