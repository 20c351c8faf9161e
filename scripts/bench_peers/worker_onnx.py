"""The reference model in onnxruntime, behind a tokenizer of `tokenizers`: predictions. Called by scripts/bench_peers.py."""

import measuring

VERSIONS = measuring.need("onnxruntime", "tokenizers", "numpy")

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

LENGTH = 100

# Faster than 64 and 256, because the scores of a batch stay in the cache.
BATCH = 16


def build(save, vocab_size=10_000, dim=64):
    """Writes the model with weights drawn at random, which does not change how long it takes."""
    versions = measuring.need("onnx")
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    draw = np.random.default_rng(measuring.SEED)
    weights = {"embedding": (vocab_size, dim), "kernel": (dim, 1), "bias": (1,)}
    tensors = [
        numpy_helper.from_array(draw.uniform(-0.05, 0.05, shape).astype("float32"), name)
        for name, shape in weights.items()
    ]
    nodes = [
        helper.make_node("Gather", ["embedding", "ids"], ["embedded"]),
        helper.make_node("Transpose", ["embedded"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["embedded", "turned"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["shares"], axis=-1),
        helper.make_node("MatMul", ["shares", "embedded"], ["attended"]),
        helper.make_node("ReduceMean", ["attended"], ["pooled"], axes=[1], keepdims=0),
        helper.make_node("Gemm", ["pooled", "kernel", "bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
    ]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT32, ["examples", LENGTH])
    out = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["examples", 1])
    graph = helper.make_graph(nodes, "reference", [ids], [out], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, save)
    return {"versions": versions}


def predict(model, tokenizer, input, output, threads, singles):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    cutter = Tokenizer.from_file(tokenizer)
    cutter.enable_truncation(LENGTH)
    cutter.enable_padding(length=LENGTH)

    def probabilities(lines):
        ids = np.array([encoding.ids for encoding in cutter.encode_batch_fast(lines)], "int32")
        return session.run(None, {"ids": ids})[0][:, 0]

    def classify_all(lines):
        labels = []
        for at in range(0, len(lines), BATCH):
            labels += (probabilities(lines[at : at + BATCH]) > 0.5).astype(int).tolist()
        return labels

    classify_one = lambda text: int(probabilities([text])[0] > 0.5)
    return measuring.predicting(classify_all, classify_one, input, output, singles) | {"versions": VERSIONS}


if __name__ == "__main__":
    measuring.run({"build": build, "predict": predict})
