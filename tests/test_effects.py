"""Settings of the terms on embeddings that change nothing where they are given."""

import pytest

from emobed_tf.config import preset
from emobed_tf.errors import InputError


class TestCheckEffects:
    @pytest.mark.parametrize(
        ("settings", "complaint"),
        [
            (
                {"framework": "joint", "metric_loss": "contrastive"},
                "--metric-loss contrastive: --framework joint has no",
            ),
            ({"framework": "classic", "beta_warmup": 3}, "--beta-warmup 3: --framework classic has no loss that beta"),
            (
                {"framework": "classic", "alignment": "cmd"},
                "--alignment cmd: --framework classic has no other modality",
            ),
            (
                {"temperature": 0.2},
                "--temperature 0.2: --metric-loss batch_hard has no temperature; leave --temperature",
            ),
            ({"metric_loss": "semi_hard", "temperature": 0.2}, "--metric-loss semi_hard has no temperature"),
            ({"metric_loss": "contrastive", "margin": 0.2}, "--margin 0.2: the loss contrastive has no margin"),
            (
                {"metric_loss": "contrastive", "margin": "soft"},
                "--margin soft: the loss contrastive has no margin",
            ),
            (
                {"metric_loss": "contrastive", "triplet_preset": "stable"},
                "--triplet-preset stable: the loss contrastive",
            ),
            ({"framework": "contrastive", "margin": 0.2}, "--margin 0.2: the loss contrastive has no margin"),
            ({"framework": "contrastive", "metric_loss": "batch_hard"}, "choose --framework emobed for another"),
            ({"alignment_weight": 0.3}, "--alignment-weight 0.3: there is no such term without --alignment"),
        ],
    )
    def test_refuses(self, settings, complaint):
        with pytest.raises(InputError, match=complaint):
            preset().replace(**settings).check()

    @pytest.mark.parametrize(
        "settings",
        [
            {"metric_loss": "semi_hard", "margin": 0.2, "beta_warmup": 2, "framework": "triplet"},
            {"metric_loss": "contrastive", "temperature": 0.2, "normalise": False},
            {"framework": "contrastive", "temperature": 0.2},
            {"framework": "classic", "metric_loss": "batch_hard"},  # as a definite configuration says
            {"framework": "joint", "alignment": "coral", "alignment_weight": 0.1},
        ],
    )
    def test_what_has_an_effect_passes_and_passes_again(self, settings):
        checked = preset().replace(**settings).check()
        assert checked.check() == checked


class TestWithoutEffect:
    @pytest.mark.parametrize(
        ("framework", "left"),
        [
            ("classic", {}),
            ("joint", {"alignment": "cmd", "alignment_weight": 2.0}),
            ("triplet", {"metric_loss": "contrastive", "temperature": 0.3, "beta_warmup": 4, "alignment": "cmd"}),
        ],
    )
    def test_another_framework_leaves_it_out(self, framework, left):
        given = {"metric_loss": "contrastive", "temperature": 0.3, "beta_warmup": 4, "alignment": "cmd"}
        config = preset().replace(**given, alignment_weight=2.0, alpha=0.4, beta=0.6)
        other = config.of_framework(framework).check().objective
        usual = preset().replace(framework=framework).check().objective
        for name in (*given, "alignment_weight"):
            kept = left | ({"alignment_weight": 2.0} if framework != "classic" else {})
            assert getattr(other, name) == kept.get(name, getattr(usual, name)), name
        assert other.alpha == (0.4 if framework == "joint" else 0)
        assert other.beta == (0.6 if framework == "triplet" else 0)
