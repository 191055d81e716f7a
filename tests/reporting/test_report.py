"""A report as a whole."""

import pytest

from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run
from tests.reporting.pages import copied, report

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def test_again_gives_the_same_page_and_nothing_in_the_run_changes(runs, tmp_path):
    folder = copied(runs["classic-audio"], tmp_path)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    first = report(tmp_path / "page", folder).source
    assert report(tmp_path / "page", folder).source == first
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_without_embeddings_says_how_to_get_them(runs, tmp_path):
    from emobed_tf.reporting import write_report

    path = write_report([Run(runs["emobed"])], tmp_path, embeddings=False)
    assert f"python -m emobed_tf.report {runs['emobed']} draws them" in path.read_text()
    assert not (tmp_path / "embeddings-dev.png").exists()
    with pytest.raises(InputError):
        write_report([Run(tmp_path)], tmp_path)
