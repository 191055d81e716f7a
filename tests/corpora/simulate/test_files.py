"""Files of a simulated package: numbers as text, and a folder that appears only once it is complete."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from emobed_tf.corpora.simulate import files as simulate_files
from emobed_tf.corpora.simulate import simulate_omg, simulate_recola
from emobed_tf.errors import InputError


class TestNumbers:
    def test_text_of_numbers(self, tmp_path):
        values = np.array([[0.0, -0.00004, 1.5], [-12345.6789, np.nan, 99999.9999], [0.00005001, 10.0, -0.5]])
        simulate_files.write_table(tmp_path / "t", "a\n", ["k", "", "long,key"], values)
        assert (tmp_path / "t").read_text() == (
            "a\nk,0.0000,0.0000,1.5000\n,-12345.6789,?,99999.9999\nlong,key,0.0001,10.0000,-0.5000\n"
        )

    def test_same_as_python_writes_them(self, tmp_path):
        values = np.random.default_rng(0).standard_normal((200, 30)) * 10.0 ** np.arange(-20, 10).clip(-4, 4)
        simulate_files.write_table(tmp_path / "t", "", [""] * 200, values)
        expected = "".join("".join(f",{v + 0.0:.4f}" for v in row.round(4)) + "\n" for row in values)
        assert (tmp_path / "t").read_text() == expected

    def test_blocks_of_rows_join(self, tmp_path, monkeypatch):
        values = np.arange(35.0).reshape(7, 5)
        keys = [str(k) for k in range(7)]
        simulate_files.write_table(tmp_path / "whole", "", keys, values)
        monkeypatch.setattr(simulate_files, "_CELLS_AT_ONCE", 10)
        simulate_files.write_table(tmp_path / "blocks", "", keys, values)
        assert (tmp_path / "whole").read_bytes() == (tmp_path / "blocks").read_bytes()

    def test_too_large(self, tmp_path):
        with pytest.raises(ValueError, match=r"10\^5"):
            simulate_files.write_table(tmp_path / "t", "", [""], np.array([[1e5]]))


class TestFolder:
    @pytest.mark.parametrize("write", [simulate_recola, simulate_omg])
    def test_existing_folder(self, tmp_path, write):
        (tmp_path / "mine").write_text("precious")
        with pytest.raises(InputError, match="not an empty folder") as caught:
            write(tmp_path)
        assert "\n" not in str(caught.value)
        assert [path.name for path in tmp_path.iterdir()] == ["mine"]

    def test_a_file(self, tmp_path):
        (tmp_path / "mine").write_text("precious")
        with pytest.raises(InputError, match="not an empty folder"):
            simulate_recola(tmp_path / "mine")

    def test_an_empty_folder_is_filled(self, tmp_path):
        (tmp_path / "empty").mkdir()
        simulate_omg(tmp_path / "empty", utterances=(7, 7, 7), video_columns=1, modalities=["video"])
        assert [path.name for path in tmp_path.iterdir()] == ["empty"]
        assert (tmp_path / "empty" / "simulated.json").exists()

    def test_full_disk(self, tmp_path, monkeypatch):
        write, calls = Path.write_bytes, []

        def full(path, content):
            calls.append(path)
            if len(calls) == 5:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(path, content)

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match=r"no space left; what had been written is removed .*/p'") as caught:
            simulate_recola(tmp_path / "p", seconds=10, recordings=1)
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "p"))
        assert not list(tmp_path.iterdir())
