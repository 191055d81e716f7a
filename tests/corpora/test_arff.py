"""ARFF files of features and gold standards: literally, beside SciPy's reader, and damaged."""

import numpy as np
import pytest
import scipy.io.arff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emobed_tf.corpora import arff
from emobed_tf.corpora.columns import Columns
from emobed_tf.corpora.files import read_bytes
from tests.corpora.corpus_writers import arff_text, close, fails, gold_text, write


def features_of(path, **kwargs):
    return arff.parse_features(path.read_bytes(), path, **kwargs)


def gold_of(path):
    return arff.parse_gold_standard(path.read_bytes(), path)


class TestFeatures:
    def test_literal(self, tmp_path):
        path = write(tmp_path / "train_1.arff", arff_text([[1, -2.5], ["?", "1e-3"]], names=["f_0", "mfcc[1]"]))
        names, values, start = features_of(path)
        assert names == ("f_0", "mfcc[1]")
        assert values.dtype == np.float32
        assert values.flags.c_contiguous
        np.testing.assert_array_equal(values, np.float32([[1, -2.5], [np.nan, 1e-3]]))
        assert start == 0.0

    def test_a_feature_with_a_name_of_times(self, tmp_path):
        path = write(tmp_path / "train_1.arff", arff_text([[1, 0.1], [2, 0.2]], names=["a", "timestamp"]))
        _, values, _ = features_of(path)
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, np.float32([[1, 0.1], [2, 0.2]]))

    def test_many_blocks(self, tmp_path, monkeypatch):
        written = np.arange(3000, dtype=np.float32).reshape(500, 6) / 8
        rows = [["?" if value % 7 == 0 else value for value in row] for row in written.tolist()]
        path = write(tmp_path / "train_1.arff", arff_text(rows, names=list("abcdef")))
        monkeypatch.setattr(arff, "_BLOCK_BYTES", 1000)
        slowly = []
        monkeypatch.setattr(arff, "_parse_rows_slowly", lambda *_: slowly.append(1))
        np.testing.assert_array_equal(features_of(path)[1], np.where(written % 7 == 0, np.nan, written))
        assert not slowly

    @pytest.mark.parametrize(
        "text",
        [
            "@RELATION x\r\n\r\n\r\n@ATTRIBUTE FRAMETIME NUMERIC\r\n@Attribute a real\r\n@DATA\r\n0,1\r\n0.04,2\r\n",
            "% made by hand, 5 % off\n@relation x\n@attribute timestamp numeric\n@attribute a integer\n@data\n"
            "% rows\n0,1\n\n% one more\n   \n0.04,2",
            "\ufeff@relation 'x y'\n"
            "\t@attribute 'timeStamp' numeric\n@attribute \"a\" numeric\n@data\n 0 , 1\n0.04,\t+2\n",
            "@relation x\r@attribute frameTime numeric\r@attribute a numeric\r@data\r0,1\r0.04,2\r",
            "@relation x\n@attribute frameTime numeric\n@attribute a numeric\n@data\r0,1\n0.04,2\n",
            "@relation x\n@attribute frameTime numeric\r@attribute a numeric\n@data % rows\n0,1\n0.04,2\n",
        ],
        ids=[
            "crlf and capitals",
            "comments, blank lines and no line end",
            "quotes, byte order mark and spaces",
            "line ends of old Macs",
            "one of them behind @data",
            "one of them in the header, and a comment behind @data",
        ],
    )
    def test_spellings(self, tmp_path, text):
        names, values, _ = features_of(write(tmp_path / "a.arff", text))
        assert names == ("a",)
        np.testing.assert_array_equal(values, [[1], [2]])

    def test_comment_in_latin_1_is_no_matter(self, tmp_path):
        text = b"% Universit\xe9\n" + arff_text([[1], [2]]).encode()
        np.testing.assert_array_equal(features_of(write(tmp_path / "a.arff", text))[1], [[1], [2]])

    def test_agrees_with_scipy(self, tmp_path):
        rng = np.random.default_rng(3)
        values = rng.standard_normal((200, 7)) * 10.0 ** rng.integers(-6, 6, 7)
        rows = [[f"{value:.9g}" if rng.random() > 0.1 else "?" for value in row] for row in values]
        path = write(tmp_path / "a.arff", arff_text(rows))
        data, meta = scipy.io.arff.loadarff(path)
        expected = np.column_stack([data[name] for name in meta.names()])
        names, found, start = features_of(path)
        assert names == tuple(meta.names()[1:])
        np.testing.assert_array_equal(found, expected[:, 1:].astype(np.float32))
        assert start == expected[0, 0]

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        values=arrays.arrays(
            np.float32,
            st.tuples(st.integers(1, 20), st.integers(1, 6)),
            elements=st.floats(width=32, allow_infinity=False, allow_nan=True, allow_subnormal=False),
        ),
        end=st.sampled_from(["\n", "\r\n"]),
    )
    def test_round_trip(self, tmp_path, values, end):
        rows = [["?" if np.isnan(value) else f"{value:.9g}" for value in row] for row in values]
        found = features_of(write(tmp_path / "a.arff", arff_text(rows, end=end)))[1]
        np.testing.assert_array_equal(found, values)

    def test_slow_and_fast_parser_agree(self, tmp_path):
        text = arff_text([[0.1, 7], ["?", -3e-5]])
        fast = features_of(write(tmp_path / "fast.arff", text))[1]
        # A plus sign is legal ARFF, and the fast parser refuses it.
        slow = features_of(write(tmp_path / "slow.arff", text.replace(",7", ",+7")))[1]
        np.testing.assert_array_equal(slow, fast)

    def test_first_time_and_step(self, tmp_path):
        text = "@relation x\n@attribute frameTime numeric\n@attribute a numeric\n@data\n1.1,1\n1.2,2\n1.3,3\n"
        path = write(tmp_path / "a.arff", text)
        assert features_of(path, step=0.1)[2] == 1.1
        fails(lambda: features_of(path), "a.arff:6", "every 40 ms")


HEAD = "@relation x\n@attribute frameTime numeric\n@attribute a numeric\n@attribute b numeric\n@data\n"  # five lines


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("empty",)),
        ("\n \n", ("empty",)),
        (b"PK\x03\x04\x00\x00binary", ("binary", "UTF-8")),
        (HEAD.encode("utf-16"), ("UTF-16",)),
        (HEAD.encode() + b"0,1,\xe9\n", (":6", "UTF-8", "0xe9")),
        (b"@relation x\n@attribute \xe9 numeric\n", (":2", "UTF-8")),
        ("id,a,b\n1,2,3\n", (":1", "'id,a,b'", "is it an ARFF file")),
        ("@relation x\n@attribute frameTime numeric\n", ("ends before '@data'",)),
        ("@relation x\n@data\n0,1\n", (":2", "before any '@attribute'")),
        (HEAD.rstrip() + " 0,1,2\n0.04,1,2\n", (":5", "nothing but '@data' in its line, got '0,1,2'")),
        ("@relation x\n@attribute frameTime\n@data\n", (":2", "@attribute NAME numeric")),
        (HEAD.replace("b numeric", "b {yes,no}"), (":4", "'b'", "holds strings")),
        (HEAD.replace("b numeric", "b string"), (":4", "'b'", "strings")),
        (HEAD.replace("b numeric", "a numeric"), (":4", "'a' a second time", "line 3")),
        (HEAD.replace("frameTime", "name"), (":2", "'name'", "frameTime or timeStamp")),
        ("@relation x\n@attribute frameTime numeric\n@data\n0\n", (":2", "no feature")),
        (HEAD, (":6", "no rows")),
        (HEAD + "\r\n\r", (":6", "no rows")),
        (HEAD + "0,1,2\n0.04,1\n", (":7", "2 values", "declares 3")),
        (HEAD + "0,1,2\n\n0.04,1,2,3\n", (":8", "4 values", "declares 3")),
        (HEAD + "0,1,2\n% note\n0.04,1,x\n", (":8", "column 'b'", "'x'")),
        (HEAD + "0,1,2\n0.04,1,\n", (":7", "column 'b'", "''")),
        (HEAD + "0,1,2\n0.04,1,1e-", (":7", "column 'b'", "'1e-'")),
        (HEAD + "0,1,1_000\n", (":6", "column 'b'", "'1_000'")),
        (HEAD + "0,1,2\n0.04,inf,2\n", (":7", "column 'a'", "infinite")),
        (HEAD + "0,1,2\n0.04,1e39,2\n", (":7", "column 'a'", "too large for float32")),
        (HEAD + "0,+1,2\n0.04,1e39,2\n", (":7", "column 'a'", "too large for float32")),
        (HEAD + "0,1,2\n\n0.12,1,2\n", (":8", "0.12 s comes after 0 s", "every 40 ms")),
        (HEAD + "0,1,2\n0.04,1,2\n0.04,1,2\n", (":8", "0.04 s comes after 0.04 s")),
        (HEAD + "0,1,2\n?,1,2\n", (":7", "time", "missing")),
        # Row k is 1.5 ms * k late: more than half a row (20 ms) at k = 14, which is line 5 + 15.
        (HEAD + "".join(f"{frame * 0.0415:.6f},1,2\n" for frame in range(60)), (":20", "frame rate")),
    ],
)
def test_bad_features(tmp_path, text, parts):
    path = write(tmp_path / "train_1.arff", text)
    fails(lambda: arff.parse_features(read_bytes(path), path), "train_1.arff", *parts)


class TestGoldStandard:
    def test_literal(self, tmp_path):
        values, start = gold_of(write(tmp_path / "dev_1.arff", gold_text("dev_1", [-0.022925, 1, "-1"])))
        assert values.dtype == np.float32
        close(values, [-0.022925, 1, -1])
        assert start == 0.0

    @pytest.mark.parametrize(
        ("old", "new", "parts"),
        [
            ("dev_1,0.04", "dev_2,0.04", (":11", "'dev_2'", "'dev_1'")),
            ("0.04,0.2", "0.04,1.2", (":11", "1.2", "[-1, 1]")),
            ("0.04,0.2", "0.04,-1.00001", (":11", "[-1, 1]")),
            ("0.04,0.2", "0.04,?", (":11", "nan", "[-1, 1]")),
            ("0.04,0.2", "0.04,nan", (":11", "nan")),
            ("0.04,0.2", "0.04,abc", (":11", "'GoldStandard'", "'abc'")),
            ("0.04,0.2", "0.04", (":11", "2 values")),
            ("0.04,0.2", "0.05,0.2", (":11", "0.05 s comes after 0 s")),
            ("GoldStandard", "Gold", (":3", "Instance_name, frameTime and GoldStandard")),
            ("Instance_name string", "Instance_name numeric", ("Instance_name",)),
            ("GoldStandard numeric", "GoldStandard string", ("GoldStandard", "numeric")),
        ],
    )
    def test_bad(self, tmp_path, old, new, parts):
        text = gold_text("dev_1", [0.1, 0.2, 0.3])
        assert old in text
        path = write(tmp_path / "dev_1.arff", text.replace(old, new, 1))
        fails(lambda: gold_of(path), "dev_1.arff", *parts)


@pytest.mark.parametrize("blank", ["\u00a0", "\u2028", "\x1c", "\u3000 \x1d"])
def test_a_line_of_blanks_of_any_kind_is_blank(tmp_path, blank):
    text = arff_text([[1], [2]], names=["f"])
    path = write(tmp_path / "train_1.arff", text.replace("@data", f"{blank}\n@data", 1))
    assert features_of(path)[1].tolist() == [[1], [2]]
    fails(lambda: features_of(write(path, f"{blank}\n{blank}x\n")), "train_1.arff:2", "is it an ARFF file")


def test_a_cell_of_text_has_an_end(tmp_path):
    path = write(tmp_path / "t.arff", f"@relation r\n@attribute id string\n@data\nu\n{'v' * 131_073}\n")
    columns = Columns(texts=("id",))
    fails(lambda: arff.read_columns(path.read_bytes(), path, lambda *_: columns), "t.arff:5", "more than 131072")
