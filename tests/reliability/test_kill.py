"""Commands are killed by SIGKILL, again and again, and continued: nothing differs from a run that nobody disturbed."""

import os
import random
import shutil
import signal
import time
from dataclasses import replace

import pytest

from tests.recordings.sounds import noise, write
from tests.reliability.cases import CASES, Places
from tests.reliability.kills import drawn, watched
from tests.reliability.results import assert_whole, differences

SEED = int(os.environ.get("EMOBED_KILL_SEED", 1))
IN_A_ROW = 3  # kills of one folder, then it may come to its end

SOAK = [pytest.param(case, case.kills, marks=pytest.mark.soak) for case in CASES]
SHORT = [pytest.param(case, case.short, marks=pytest.mark.slow) for case in CASES if case.short]


@pytest.fixture(scope="module")
def places(tables, recola, arousal_run, tmp_path_factory):
    """All that a command may need; it reads a copy of no one's, and writes to a folder of its own."""
    folder = tmp_path_factory.mktemp("killed")
    lines = ["file"]
    for k in range(40):
        write(folder / f"{k}.wav", noise(1, seed=k))
        lines.append(f"{k}.wav")
    clips = folder / "clips.csv"
    clips.write_text("\n".join(lines) + "\n")
    return Places(tables, recola, clips, arousal_run[0], folder / "work")


def environment(case, places):
    return {"EMOBED_CACHE": places.cache} if case.own_cache else {}


def undisturbed(case, places):
    """What the command leaves if nobody kills it, and how it went."""
    places = replace(places, folder=places.folder / "undisturbed")
    places.folder.mkdir(parents=True)
    code, said, course = watched(case.next_line(places), places.folder, **environment(case, places))
    assert code == 0, said
    assert_whole(places.folder)
    return case.left(places), course


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("case", "kills"), [*SHORT, *SOAK], ids=lambda value: getattr(value, "name", value))
def test_killed_and_continued(case, kills, places, capsys):
    began, rng = time.monotonic(), random.Random(f"{SEED} {case.name}")
    places = replace(places, folder=places.folder / f"{case.name}-{kills}")
    expected, course = undisturbed(case, places)
    assert course.changes
    killed = folders = 0
    while killed < kills:
        folders += 1
        mine = replace(places, folder=places.folder / str(folders))
        mine.folder.mkdir()
        moments = []
        while line := case.next_line(mine):
            moment = drawn(course, rng) if killed < kills and len(moments) < IN_A_ROW else None
            code, said, _ = watched(line, mine.folder, moment, **environment(case, mine))
            story = f"EMOBED_KILL_SEED={SEED}, {case.name} in {mine.folder}, killed {moments}:\n{said}"
            assert_whole(mine.folder)
            if code == 0:
                break
            assert code == -signal.SIGKILL, story
            moments.append(str(moment))
            killed += 1
        assert not (changed := differences(case.left(mine), expected)), "\n".join([*changed[:20], story])
        shutil.rmtree(mine.folder)
    with capsys.disabled():
        print(
            f"\n{case.name}: killed {killed} times in {folders} folders, seed {SEED}, {time.monotonic() - began:.0f} s"
        )
