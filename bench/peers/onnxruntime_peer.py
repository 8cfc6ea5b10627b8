"""onnxruntime's matrix product on the CPU."""

import json

import onnxruntime
from onnx import TensorProto, helper

from case import arguments, best_seconds, error_of, report


def session_of(case, threads):
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(case.arrays[name].shape)) for name in "ab"]
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, list(case.out.shape))
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["out"])], "product", tensors, [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def main():
    threads, cases = arguments()
    print(json.dumps({"versions": {"onnxruntime": onnxruntime.__version__}}))
    for case in cases:
        if case.family != "gemm":
            continue
        session = session_of(case, threads)
        run = lambda: session.run(None, case.arrays)[0]  # noqa: E731
        report(case, "onnxruntime", "forward", best_seconds(run), error_of(run(), case.out))


main()
