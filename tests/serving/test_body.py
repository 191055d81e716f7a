"""Bodies as bytes: compressed, marked, damaged. Words of errors are those of RapidJSON and of TensorFlow Serving.

Where rest_contract.json has no sample, a test says what the real server does: by its sources, or as it was seen.
"""

import gc
import gzip
import json
import threading
import time
import tracemalloc
import zlib

import pytest
import rapidjson

from serving.body import check_elements, parse, shown, uncompressed
from serving.rest import RestError
from tests.serving.test_inputs import refused, tensors

MARK = b"\xef\xbb\xbf"


class TestUncompressed:
    @pytest.mark.parametrize("content", [b'{"inputs": 1.5}', b"", b"0" * 1000])
    def test_is_what_was_compressed(self, content):
        assert uncompressed(gzip.compress(content), 1000) == content

    def test_larger_than_allowed(self):
        with pytest.raises(
            RestError, match="more than 0.001 MB when it is uncompressed; send fewer recordings"
        ) as caught:
            uncompressed(gzip.compress(b"0" * 1001), 1000)
        assert caught.value.status == 413

    def test_a_bomb_is_not_unpacked(self):
        """200 MB of zeros are 200 kB of gzip; never is more in memory than what is allowed, and some."""
        packer = zlib.compressobj(wbits=31)
        bomb = b"".join(packer.compress(bytes(10**6)) for _ in range(200)) + packer.flush()
        tracemalloc.start()
        with pytest.raises(RestError):
            uncompressed(bomb, 10**6)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 5e6

    @pytest.mark.parametrize(
        "body", [b'{"inputs": 1.5}', gzip.compress(b"{}", mtime=0)[:-1], gzip.compress(b"{}", mtime=0)[:12], b""]
    )
    def test_a_damaged_file_is_an_empty_body(self, body):
        """evhttp_request.cc logs the error of zlib, and hands on a body without a byte."""
        assert uncompressed(body, 1000) == b""

    def test_a_checksum_that_is_wrong(self):
        body = bytearray(gzip.compress(b'{"inputs": 1.5}'))
        body[-5] ^= 1
        assert uncompressed(bytes(body), 1000) == b""


class TestParsing:
    def test_what_follows_the_object_is_ignored(self):
        for end in (" garbage", "{}", "]", "\x00\x00"):
            assert tensors('{"inputs": 1.5, "note": "ä"}' + end)[0]["x"] == 1.5

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b'{"inputs": [1, ]}', "JSON Parse error: Invalid value. at offset: 15"),
            (b'{"inputs": nan}', "JSON Parse error: Invalid value. at offset: 12"),
            (b'{"inputs": 1e999}', "JSON Parse error: Number too big to be stored in double. at offset: 11"),
            (b'{"inputs": "\xff"}', "JSON Parse error: Invalid encoding in string."),
            (b'{"inputs": ' + b"[" * 100_000, "JSON Parse error: nested too deeply"),
            (b'"text"', 'JSON Value: "text" Is not object'),
            (b"null", "JSON Value: null Is not object"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_no_json(self, body, words):
        assert refused(body) == (words, "INVALID_ARGUMENT")

    def test_a_byte_order_mark_is_passed_over(self):
        """RapidJSON's EncodedInputStream takes it; offsets count it, since they count bytes of the body."""
        assert parse(MARK + b'{"inputs": 1.5} x') == {"inputs": 1.5}
        assert refused(MARK + b'{"inputs": nan}')[0] == "JSON Parse error: Invalid value. at offset: 15"
        assert refused(MARK)[0] == "JSON Parse error: The document is empty. at offset: 3"
        assert refused(MARK + MARK + b"{}")[0] == "JSON Parse error: Invalid value. at offset: 3"

    def test_of_one_key_twice_the_first_counts(self):
        assert parse(b'{"a": 1, "b": {"c": 2, "c": 3}, "a": 4}') == {"a": 1, "b": {"c": 2}}

    def test_a_deep_body_is_not_sent_back(self):
        depths = range(900, 1010)
        answers = [refused(f'{{"instances": {{"x": {"[" * depth}{"]" * depth}}}}}')[0] for depth in depths]
        assert all(
            answer == "JSON Parse error: nested too deeply" or "to be an list/array" in answer for answer in answers
        )

    def test_a_large_body_is_not_sent_back(self):
        """Errors of the real server quote about 256 bytes."""
        message, _ = refused(f'{{"instances": {{"x": {json.dumps([0.5] * 100_000)}}}}}')
        quoted = message.removeprefix("JSON Value: ").removesuffix("... Expecting 'instances' to be an list/array")
        assert len(quoted) == 256
        assert quoted.startswith('{\n    "instances": {\n        "x": [0.5, 0.5')


class TestShown:
    def test_as_long_as_it_may_be(self):
        assert shown("x" * 254) == f'"{"x" * 254}"'
        assert shown("x" * 255) == f'"{"x" * 255}...'

    def test_a_letter_is_not_cut(self):
        """An ä has two bytes: with the quotation mark, 127 of them and half of another are 256."""
        assert shown("ä" * 200) == f'"{"ä" * 127}...'


class TestElements:
    def test_are_counted_before_anything_is_made_of_them(self):
        body = b"[" + b"[]," * 5_000_000 + b"[]]"
        tracemalloc.start()
        with pytest.raises(RestError, match="more than 1000 numbers and lists") as caught:
            check_elements(body, 1000)
        assert caught.value.status == 413
        assert tracemalloc.get_traced_memory()[1] < 1e5
        tracemalloc.stop()

    def test_as_many_as_there_may_be(self):
        check_elements(b"[1,2,{}]", 4)  # [ , , {
        with pytest.raises(RestError):
            check_elements(b"[1,2,{}]", 3)


class TestLargeBodies:
    """From a megabyte on, a body is read in parts. What is said of it is what is said of a small one."""

    BLANKS = b" " * 2**20

    @pytest.mark.parametrize(
        "body",
        [
            b'{"inputs": 1.5, "note": "\xc3\xa4"}',
            b'{"inputs": [1, 2,]}',
            b'{"inputs": "\xff"}',
            b'{"inputs": "\xc3',
            b'{"inputs": 1',
            b'{"inputs": 1} garbage',
            b'{"inputs": "\\ud800"}',
            b'{"inputs": 1e400}',
            b'{"inputs": 1, "inputs": 2}',
            b"[1]",
        ],
    )
    @pytest.mark.parametrize("mark", [b"", MARK])
    def test_as_small_ones(self, body, mark):
        def outcome(body):
            try:
                return parse(body)
            except RestError as error:
                return str(error)

        small = outcome(mark + b" " + body)
        if isinstance(small, str) and "offset: " in small:
            words, offset = small.split("offset: ")
            small = f"{words}offset: {int(offset) + len(self.BLANKS) - 1}"
        assert outcome(mark + self.BLANKS + body) == small

    def test_other_threads_run_meanwhile(self):
        """Each list of a row of three is made in a third of a microsecond: all of them in one go take half a second."""
        body = b'{"instances": [' + b",".join([b"[0.25,1,2]"] * 500_000) + b"]}"
        longest, ended = 0.0, threading.Event()

        def watch():
            nonlocal longest
            last = time.monotonic()
            while not ended.is_set():
                time.sleep(0.001)
                now = time.monotonic()
                longest, last = max(longest, now - last), now

        thread = threading.Thread(target=watch)
        thread.start()
        begun = time.monotonic()
        assert len(parse(body)["instances"]) == 500_000
        took = time.monotonic() - begun
        ended.set()
        thread.join()
        assert longest < max(0.1, took / 2)
        assert gc.isenabled()


@pytest.mark.parametrize(
    "value",
    [
        [0.5] * 10**6,
        [[]] * 10**6,
        {"a": "x" * 10**7},
        [[[["ä" * 300]]]],
        {"k" * 300: 1},
        {str(k): k for k in range(10**5)},
    ],
)
def test_no_more_than_what_is_shown_is_written(value):
    begun = time.thread_time()  # others may have the processor for longer
    text = shown(value)
    assert time.thread_time() - begun < 0.05
    whole = rapidjson.dumps(value, indent=4, write_mode=rapidjson.WM_SINGLE_LINE_ARRAY, ensure_ascii=False)
    assert text == whole.encode()[:256].decode(errors="ignore") + "..."
