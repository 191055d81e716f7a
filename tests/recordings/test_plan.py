"""What is left to do, and what is there from before."""

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings.extraction import extract_file
from emobed_tf.recordings.listing import read_listing
from emobed_tf.recordings.logmel import LogMel
from emobed_tf.recordings.plan import Plan
from emobed_tf.recordings.store import FeatureStore
from tests.recordings.sounds import noise, write


@pytest.fixture
def folder(tmp_path):
    for k in range(3):
        write(tmp_path / f"{k}.wav", noise(1, seed=k))
    text = "file,start,end\n2.wav,0,0.5\n0.wav,,\n2.wav,0.5,1\n1.wav,,\nnone.wav,,\n"
    (tmp_path / "clips.csv").write_text(text)
    return tmp_path


def planned(folder):
    store = FeatureStore("logmel", LogMel(), folder / "kept")
    return Plan(read_listing(folder / "clips.csv"), "logmel", None, store)


def do(plan, *jobs):
    for job in jobs or range(len(plan.jobs)):
        plan.add(job, extract_file(plan.jobs[job]))


def test_one_job_for_each_file(folder):
    plan = planned(folder)
    assert [(str(job), job.segments) for job in plan.jobs] == [
        (str(folder / "2.wav"), ((0.0, 0.5), (0.5, 1.0))),
        (str(folder / "0.wav"), ((0.0, None),)),
        (str(folder / "1.wav"), ((0.0, None),)),
        (str(folder / "none.wav"), ((0.0, None),)),
    ]
    assert plan.kept == 0


def test_rows_come_in_the_table_s_order(folder):
    plan = planned(folder)
    do(plan, 3, 1, 0, 2)
    assert [entry.id for entry, _ in plan.rows()] == ["2/0-0.5", "0", "2/0.5-1", "1"]
    assert plan.left_out == 1
    expected = LogMel().of(np.rint(noise(1, seed=1) * 32_767) / 32_768)
    *_, (_, rows) = plan.rows()
    np.testing.assert_allclose(rows.features[0], expected, rtol=0.01, atol=0.01)


def test_what_was_done_is_not_done_again(folder):
    do(planned(folder), 0, 2)
    plan = planned(folder)
    assert [job.path for job in plan.jobs] == [str(folder / "0.wav"), str(folder / "none.wav")]
    assert plan.kept == 3
    do(plan)
    assert len(list(plan.rows())) == 4


def test_a_recording_that_changed_is_done_again(folder):
    do(planned(folder))
    write(folder / "1.wav", noise(1, seed=9))
    assert [job.path for job in planned(folder).jobs] == [str(folder / "1.wav"), str(folder / "none.wav")]


def test_a_new_segment_alone_is_done(folder):
    do(planned(folder))
    with (folder / "clips.csv").open("a") as file:
        file.write("2.wav,0.25,0.75\n")
    assert planned(folder).jobs[0].segments == ((0.25, 0.75),)


def test_what_was_kept_and_has_gone(folder):
    plan = planned(folder)
    do(plan)
    for file in (folder / "kept").rglob("*.npz"):
        file.unlink()
    with pytest.raises(InputError, match="features of '2/0-0.5' were kept here, and have gone"):
        list(plan.rows())
