"""The plan of a table: scenarios, rows and cells, and what it refuses."""

import shutil

import pytest

from emobed_tf.comparison.reproduction import published
from emobed_tf.comparison.reproduction.plan import plan_table
from emobed_tf.config import preset
from emobed_tf.errors import InputError
from tests.corpora.sounds import write_clips


class TestPlanTable:
    def test_the_papers_scenarios_that_the_data_allow(self, plan):
        assert [s.name for s in plan.scenarios] == ["audio (+video_appearance)", "video_appearance (+audio)"]
        assert plan.remarks[0] == "Left out: the paper's scenarios with video_geometric, which these data lack."

    def test_rows_in_order(self, plan):
        assert plan.rows[:5] == ("classic", "joint", "triplet", "emobed", "emobed_stable")
        assert plan.rows[-1] == published.END_TO_END
        assert not {"svm", "forest"} & set(plan.rows)
        assert {"svr", "strength", "curriculum", "mtl_pu", "ddat_re", "early", "late", "multi_task"} <= set(plan.rows)

    def test_primary_contrast(self, recola):
        config = preset().replace(data_dir=recola)
        assert plan_table(1, config).primary == "emobed"
        assert plan_table(1, config, rows=["classic", published.END_TO_END, "joint"]).primary == "joint"
        assert plan_table(1, config, rows=["joint", "emobed"]).primary is None  # nothing to compare with

    def test_what_auxiliaries_do_not_help_is_fitted_once_for_a_target(self, recola):
        config = preset().replace(data_dir=recola)
        both = plan_table(
            1, config, ["audio+video_appearance", "audio + video_appearance"], ["classic", "joint", "svr"]
        )
        cells = [(cell.scenario.name, cell.system) for cell in both.cells()]
        assert cells == [("audio", "classic"), ("audio (+video_appearance)", "joint"), ("audio", "svr")]
        assert both.cells()[0].source.config.data.auxiliary == ()

    def test_own_tables_with_three_modalities(self, tables):
        config = preset("tables").replace(data_dir=tables, table=(f"more={tables / 'face.csv'}",))
        shutil.copy(tables / "face.csv", tables.parent / "more.csv")
        config = config.replace(table=(f"more={tables.parent / 'more.csv'}",))
        found = plan_table(3, config)
        assert [s.name for s in found.scenarios] == [
            "audio (+face, more)",
            "face (+audio, more)",
            "more (+audio, face)",
        ]
        assert published.END_TO_END not in found.rows
        chosen = plan_table(3, config, ["audio+more"])
        assert [s.auxiliaries for s in chosen.scenarios] == [("more",)]

    def test_recordings_stand_alone_and_classic_is_then_end_to_end(self, tmp_path):
        table = write_clips(tmp_path)
        config = preset("recordings").replace(table=(f"audio={table}",), front_end="emo18")
        for named in ([], ["audio"]):
            found = plan_table(3, config, named, ["classic"])
            assert [(s.target, s.auxiliaries) for s in found.scenarios] == [("audio", ())]
            assert "front end emo18: there, the row classic is an end-to-end network" in " ".join(found.remarks)
            (cell,) = found.cells()
            assert cell.source().corpus.modality("audio").sample_rate == 16_000
        regression = plan_table(1, config.replace(front_end="logmel"), [])
        assert published.END_TO_END not in regression.rows

    def test_a_mixed_corpus_is_a_scenario(self, recola, tmp_path):
        """RECOLA's audio with a table of other speakers' utterances that have an arousal."""
        table = tmp_path / "talk.csv"
        lines = [f"u{k},{('train', 'dev', 'test')[k % 3]},s{k},{k / 10 - 0.4},{k}" for k in range(9)]
        table.write_text("\n".join(["id,partition,speaker,arousal,loudness", *lines]) + "\n")
        config = preset().replace(data_dir=recola, table=(f"talk={table}",))
        found = plan_table(1, config, ["audio+talk", "audio+video_appearance+talk"], ["classic", "emobed"])
        problems = {cell.scenario.name: cell.source() for cell in found.cells()}
        assert {name: problem.auxiliaries for name, problem in problems.items()} == {
            "audio": (),
            "audio (+talk)": ("talk",),
            "audio (+video_appearance, talk)": ("video_appearance", "talk"),
        }
        assert problems["audio (+talk)"].corpus.modality("talk").frame_seconds is None

    @pytest.mark.parametrize(
        ("more", "complaint"),
        [
            ({"scenarios": ["audio"]}, r"--scenario audio: expected TARGET\+AUX"),
            ({"scenarios": ["audio+audio"]}, "different modalities"),
            ({"scenarios": ["audio+gait"]}, "no modality 'gait'; found audio, video_appearance"),
            ({"rows": ["svm"]}, "row svm learns classification, but table 1 is a regression"),
            ({"rows": ["emobet"]}, "unknown system 'emobet'"),
            ({"rows": ["end_to_end"]}, "name other systems, too"),
            ({"systems": ["nowhere:X"]}, "system nowhere:X"),
        ],
    )
    def test_errors(self, recola, more, complaint):
        with pytest.raises(InputError, match=complaint):
            plan_table(1, preset().replace(data_dir=recola), **more)

    @pytest.mark.parametrize("name", ["target", "dimension", "seed", "framework"])
    def test_flags_that_the_command_sets_itself(self, recola, name):
        value = {"target": "audio", "dimension": "valence", "seed": 1, "framework": "joint"}[name]
        with pytest.raises(InputError, match=f"--{name}: "):
            plan_table(1, preset().replace(data_dir=recola, **{name: value}))
