"""What the page says of scores and comparisons."""

import json

import pytest

from emobed_tf.runs.folder import Run
from tests.commands import command
from tests.reporting.pages import copied

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def test_scores_with_their_intervals(pair, runs, tmp_path):
    from emobed_tf.evaluation.speaker_statistics import statistics_of
    from emobed_tf.runs.scoring import score_run

    page, _ = pair
    found = score_run(Run(copied(runs["emobed"], tmp_path)))["dev"]
    ends = statistics_of(found).summary("ccc")
    assert f"{found.scores['ccc']:.3f} [{ends.low:.3f}, {ends.high:.3f}]" in page.text
    assert f"{found.scores['raw']['ccc']:.3f}" in page.text
    assert f"{found.scores['rmse']:.3f}" in page.text


def test_comparison_is_that_of_evaluate(pair, runs, tmp_path):
    page, _ = pair
    again, ground = copied(runs["emobed"], tmp_path), copied(runs["classic"], tmp_path)
    assert command("evaluate", again, "--against", ground).returncode == 0
    found = json.loads((again / "comparison.json").read_text())["dev"]
    assert "emobed better than classic?" in page.text
    assert f"compared with classic {found['first']:.3f} run emobed {found['second']:.3f}" in page.text
    assert f"p of the exchange test over speakers, one-sided {found['swap']:.4f}" in page.text
    assert "With 3 speakers the smallest possible p is 1/8 = .125. No difference can be significant" in page.text
    assert f"two-sided {found['swap_two_sided']:.4f}" in page.text
    assert f"95 % interval of it: bootstrap over speakers {found['low']:+.3f} to {found['high']:+.3f}" in page.text
    assert f"p of the paper's test, one-sided {found['published']:.4f}" in page.text
    assert f"treats as independent {found['published_n']:,}" in page.text


def test_only_a_significant_p_is_bold():
    """The level is .05."""
    from emobed_tf.reporting.sections import _p

    assert [str(_p(value)) for value in (0.0499, 0.05, 0.5)] == ["<strong>0.0499</strong>", "0.0500", "0.5000"]


def test_settings_without_an_effect_are_left_out(trio, pair):
    """Of classes of utterances those of continuous labels and of frames, and the other way round."""
    said = "no effect on a classification: label_delay, hop, negative_seconds, regression_loss, bins."
    assert said in trio[0].text and "label_delay 2.4" not in trio[0].text
    assert "no effect on a regression: classification_loss." in pair[0].text and "label_delay" in pair[0].text


def test_what_picked_the_weights(trio, pair, runs):
    """In the summary, in the settings, and as the first score, whatever the order of scores is elsewhere."""
    assert "development F1 macro" in trio[0].text and "selection f1_macro f1_macro f1_macro" in trio[0].text
    assert "run partition F1 macro F1 micro" in trio[0].text
    assert "development CCC before post-processing" in pair[0].text and "selection ccc ccc" in pair[0].text


def test_confusion_and_scores(trio, runs):
    for k in (1, 2, 3):
        assert (trio[1] / f"run{k}-confusion-dev.png").is_file()
    scores = json.loads((runs["joint-audio"] / "scores.json").read_text())["dev"]
    for name in ("f1_micro", "f1_macro", "f1_harmonic", "uar"):
        assert f"{scores[name]:.3f}" in trio[0].text
    pictures = [picture["alt"] for picture in trio[0].all("img")]
    assert "confusions of all runs, dev" in pictures and (trio[1] / "confusion-dev.svg").is_file()
    assert not [alt for alt in pictures if alt.startswith("confusion of ")], "once is enough"
    assert "SIMULATED" not in trio[0].text
    assert not trio[0].scripts.keys() - {None}, "utterances have no course in time"
