"""What is kept and shown of a search's trials: metrics over seeds, their order, TensorBoard's HParams."""

import json
import math
import urllib.error
import urllib.request

import pytest

from tests.tuning.searches import TWO, config

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


class TestSummary:
    def test_of_three_seeds(self):
        from tuning.search_results import summarise

        trainings = [
            {"val_ccc": score, "epochs": epochs, "best_epoch": best, "seconds": seconds, "parameters": 10}
            for score, epochs, best, seconds in ((0.2, 4, 1, 1.5), (0.4, 5, 2, 2.5), (0.9, 9, 6, 3.0))
        ]
        # Mean 0.5; deviations -0.3, -0.1, 0.4, their squares' sum 0.26, halved 0.13.
        assert summarise((7, 8, 9), trainings, "val_ccc") == pytest.approx(
            {
                "val_ccc": 0.5,
                "deviation": math.sqrt(0.13),
                "val_ccc_seed7": 0.2,
                "val_ccc_seed8": 0.4,
                "val_ccc_seed9": 0.9,
                "epochs": 6,
                "best_epoch": 3,
                "seconds": 7.0,
                "parameters": 10,
            }
        )
        alone = summarise((7,), trainings[:1], "val_ccc")
        assert alone == {"val_ccc": 0.2, "epochs": 4, "best_epoch": 1, "seconds": 1.5, "parameters": 10}


class TestOrder:
    def test_best_first_and_failures_last(self):
        from keras_tuner import HyperParameters
        from keras_tuner.engine.trial import Trial

        from tuning.search_results import best_first

        found = []
        for name, status, score in (
            ("a", "FAILED", None),
            ("b", "COMPLETED", 0.3),
            ("d", "COMPLETED", 0.7),
            ("c", "COMPLETED", 0.7),
            ("e", "COMPLETED", math.nan),
            ("f", "COMPLETED", -0.2),
        ):
            found.append(Trial(HyperParameters(), name, status))
            found[-1].score = score
        assert [trial.trial_id for trial in best_first(found)] == ["c", "d", "b", "f", "a", "e"]


class TestTensorBoard:
    def test_hparams_show_every_trial_and_its_metrics(self, tables, tmp_path, landscape, monkeypatch):
        """Asked over HTTP of TensorBoard itself."""
        from tuning.hypermodel import EmoBedHyperModel
        from tuning.tuners import tuner

        good = EmoBedHyperModel.fit

        def fit(self, hp, model=None, *, seed=None):
            if self.settings(hp).objective.alpha == 0:
                raise ValueError("on purpose")
            return good(self, hp, seed=seed)

        monkeypatch.setattr(EmoBedHyperModel, "fit", fit)
        entries = (*TWO, "alpha=0,0.5,1", "learning_rate=0.001")
        search = tuner(config(tables), tmp_path / "search", kind="grid", parameters=entries, seeds=2)
        search.search()

        from tensorboard import program

        board = program.TensorBoard()
        board.configure(argv=["tensorboard", "--logdir", str(tmp_path / "search" / "logs"), "--load_fast", "false"])
        board.flags.port, board.flags.host = 0, "127.0.0.1"
        server = board._make_server()
        import threading

        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            experiment, groups = self.asked(server.get_url(), sessions=6)
        finally:
            server.shutdown()
            server.server_close()
            thread.join(60)
        assert {info["name"] for info in experiment["hparamInfos"]} == {"alpha", "head_units"}
        shown = {}
        for group in groups["sessionGroups"]:
            measured = {value["name"]["tag"]: value["value"] for value in group["metricValues"]}
            shown[group["hparams"]["alpha"], group["hparams"]["head_units"]] = measured
            status = group["sessions"][0]["status"]
            assert status == ("STATUS_FAILURE" if group["hparams"]["alpha"] == 0 else "STATUS_SUCCESS")
        assert len(shown) == 6
        for row in search.rows():
            measured = shown[row["alpha"], row["head_units"]]
            if row["status"] == "failed":
                assert measured == {}
                continue
            for name in ("val_f1_macro", "deviation", "epochs", "best_epoch", "seconds", "parameters"):
                assert measured[name] == pytest.approx(row[name], rel=1e-6), name

    def asked(self, url, sessions):
        """What the plugin answers, once it has read all sessions."""
        import time

        def post(route, body):
            request = urllib.request.Request(
                f"{url}data/plugin/hparams/{route}", json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)

        until = time.monotonic() + 120
        while True:
            try:
                experiment = post("experiment", {"experimentName": ""})
            except urllib.error.HTTPError:  # nothing read yet
                experiment = {}
            if experiment.get("metricInfos"):
                columns = {"colParams": [{"metric": info["name"]} for info in experiment["metricInfos"]]}
                body = {"experimentName": "", "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_UNKNOWN"]}
                groups = post("session_groups", {**body, **columns, "startIndex": 0, "sliceSize": 100})
                if len(groups.get("sessionGroups", [])) == sessions:
                    return experiment, groups
            assert time.monotonic() < until, "TensorBoard didn't show the trials"
            time.sleep(0.5)
