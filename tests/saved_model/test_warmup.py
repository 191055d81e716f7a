"""The first requests of a version, read by the wire format alone."""

import struct

import pytest

from tests.saved_model.exported import STATES

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def fields(message):
    """(number, bytes of the value) of each field in a protocol buffer, by the wire format alone."""
    at = 0

    def number():
        nonlocal at
        value = count = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << count
            count += 7
            if byte < 128:
                return value

    while at < len(message):
        key = number()
        assert key & 7 == 2, "all fields that are read here are length-delimited"
        length = number()
        yield key >> 3, message[at : at + length]
        at += length


def warmup_requests(path):
    """(signature, inputs) of each record: PredictionLog.predict_log = 6, then request = 1, model_spec 1, inputs 2."""
    import tensorflow as tf
    from tensorflow.core.framework.tensor_pb2 import TensorProto

    content = path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        record, content = content[12 : 12 + length], content[16 + length :]
        ((kind, predict_log),) = fields(record)
        ((one, request),) = fields(predict_log)
        assert (kind, one) == (6, 1)
        parts = list(fields(request))
        ((_, spec),) = [part for part in parts if part[0] == 1]
        signature = dict(fields(spec))[3].decode()
        inputs = {}
        for entry in (dict(fields(part)) for number, part in parts if number == 2):
            inputs[entry[1].decode()] = tf.make_ndarray(TensorProto.FromString(entry[2]))
        yield signature, inputs


class TestWarmup:
    @pytest.mark.parametrize("name", ["arousal", "emotion"])
    def test_every_signature_answers(self, name, request):
        """A request that fails would keep TensorFlow Serving from serving the version."""
        exported = request.getfixturevalue(name)
        found = dict(warmup_requests(exported.version / "assets.extra" / "tf_serving_warmup_requests"))
        signatures = exported.server.meta_graph.signature_def
        assert found.keys() == {name for name in signatures if not name.startswith("__")}
        for signature, inputs in found.items():
            assert inputs.keys() == set(signatures[signature].inputs)
            answer = exported.server(signature, **inputs)
            assert all(len(values) == 1 for values in answer.values()), "a batch of one"

    def test_has_the_states_of_other_encoders(self, another, kind):
        found = dict(warmup_requests(another.version / "assets.extra" / "tf_serving_warmup_requests"))["stream"]
        shapes = {name: values.shape for name, values in found.items() if name != "features"}
        assert shapes == {name: (1, *shape) for name, shape in STATES[kind].items()}

    def test_tensorflow_reads_the_records(self, arousal):
        """Checksums included, which the reading above skips."""
        import tensorflow as tf

        records = tf.data.TFRecordDataset(str(arousal.version / "assets.extra" / "tf_serving_warmup_requests"))
        assert len(list(records)) == 6

    def test_inputs_are_in_the_order_of_their_names(self, arousal):
        """A protocol buffer's map has none of its own: the same export would be another file."""
        for _, inputs in warmup_requests(arousal.version / "assets.extra" / "tf_serving_warmup_requests"):
            assert list(inputs) == sorted(inputs)
