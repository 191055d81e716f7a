"""The plain network: what it reads, that it learns and begins anew, and that it owes nothing to the package."""

import ast
import json

import numpy as np
import pytest

from tests.conftest import ROOT

AUDIO = """id,partition,speaker,label,f
a,train,s1,low,0
b,train,s1,high,2
c,train,s2,high,10
d,test,s3,low,1
e,test,s3,high,3
"""
VIDEO = """id,partition,speaker,label,g,h
v,train,t1,low,0,5
w,train,t2,middle,4,5.5
"""


@pytest.fixture
def package(tmp_path):
    (tmp_path / "audio.csv").write_text(AUDIO)
    (tmp_path / "video.csv").write_text(VIDEO)
    return tmp_path


def squares(plain, rng, number):
    """Two features; the class is the quadrant's colour on a chessboard of four: no line divides them."""
    features = rng.uniform(-1, 1, (number, 2)).astype("float32")
    return plain.Examples(features, (features.prod(axis=1) > 0).astype("int32"))


def test_nothing_of_the_package_is_in_it():
    tree = ast.parse((ROOT / "experiments" / "plain_network.py").read_text())
    modules = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [name for name in modules if name.startswith("emobed_tf")]


class TestRead:
    def test_all_speakers(self, experiment, package):
        train, test, classes = experiment("plain_network").read_package(package)
        assert classes == 3  # high, low, middle
        # 0, 2, 10: mean 4, variance (16 + 4 + 36) / 3.
        expected = (np.array([0, 2, 10]) - 4) / np.sqrt(56 / 3)
        np.testing.assert_allclose(train["audio"].features[:, 0], expected, rtol=1e-6)
        np.testing.assert_allclose(test.features[:, 0], (np.array([1, 3]) - 4) / np.sqrt(56 / 3), rtol=1e-6)
        assert train["audio"].classes.tolist() == [1, 0, 0]
        assert train["video"].classes.tolist() == [1, 2]
        assert test.classes.tolist() == [1, 0]
        np.testing.assert_allclose(train["video"].features, [[-1, -1], [1, 1]], rtol=1e-6)

    def test_a_share_of_the_speakers(self, experiment, tmp_path):
        rows = [f"{k},train,s{k // 2},{'ab'[k % 2]},{k},{-(k**2)}" for k in range(8)]  # four speakers, two rows each
        for name in ("audio", "video"):
            (tmp_path / f"{name}.csv").write_text(
                "\n".join(["id,partition,speaker,label,f,g", *rows, "t,test,z,a,0,0\n"])
            )
        train, _, _ = experiment("plain_network").read_package(tmp_path, share=0.5)
        assert {name: len(one.classes) for name, one in train.items()} == {"audio": 4, "video": 4}


class TestNetwork:
    @pytest.fixture
    def plain(self, experiment):
        return experiment("plain_network")

    def test_learns_what_is_not_linear_and_begins_anew(self, plain):
        rng = np.random.default_rng(0)
        train = {name: squares(plain, rng, 400) for name in ("audio", "video")}
        network = plain.PlainNetwork({"audio": 2, "video": 2}, 2, steps=600)
        network.fit(train, 0)
        first = [weight.numpy() for weight in network.weights]
        assert network.recall("audio", squares(plain, rng, 500)) > 0.9
        assert network.recall("video", squares(plain, rng, 500)) > 0.9
        assert not np.allclose(network.fit(train, 1).weights[0].numpy(), first[0])
        for weight, before in zip(network.fit(train, 0).weights, first, strict=True):
            np.testing.assert_array_equal(weight.numpy(), before)

    def test_alone_leaves_the_other_branch_as_it_began(self, plain):
        train = {"audio": squares(plain, np.random.default_rng(0), 40)}
        network = plain.PlainNetwork({"audio": 2, "video": 2}, 2, steps=5)
        network.fit(train, 0)
        assert not network.models["video"].layers[1].bias.numpy().any()  # a bias begins at 0
        assert network.models["audio"].layers[1].bias.numpy().any()

    def test_recall_is_the_mean_over_classes(self, plain):
        network = plain.PlainNetwork({"audio": 1, "video": 1}, 2, steps=1)
        for weight in network.weights:
            weight.assign(np.zeros(weight.shape))  # all logits are equal: the first class is answered
        examples = plain.Examples(np.zeros((4, 1), "float32"), np.array([0, 1, 1, 1], "int32"))
        assert network.recall("audio", examples) == 0.5  # all of the first, none of the second

    def test_command(self, plain, package, monkeypatch, capsys):
        monkeypatch.setattr("sys.argv", ["plain_network.py", str(package), "--seeds", "2", "--steps", "3"])
        assert plain.main() == 0
        found = json.loads((package / "plain.json").read_text())
        assert {name: len(values) for name, values in found.items()} == {"alone": 2, "joint": 2}
        assert f"{package}: average recall" in capsys.readouterr().out
