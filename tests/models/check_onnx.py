"""Checks exported models with onnx and onnxruntime against what the program said.

    RESTUDY_KEEP_MODELS=DIR cargo test a_model_says
    python check_onnx.py DIR              (numpy, onnx, onnxruntime)
"""
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

worst = 0.0
paths = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
assert paths, "no models"
for path in paths:
    onnx.checker.check_model(onnx.load(path), full_check=True)
    given = json.loads(path.with_suffix(".json").read_text())
    x = np.array(given["X"], dtype=float)  # null becomes NaN
    said = np.array(given["probability"])
    session = onnxruntime.InferenceSession(path)
    probability, positive = session.run(["probability", "positive"], {"X": x})
    assert probability.dtype == np.float64
    off = float(np.abs(probability[:, 0] - said).max())
    assert (positive[:, 0] == (said >= given["threshold"])).all()
    operators = sorted({node.op_type for node in onnx.load(path).graph.node})
    print(path.name, len(said), "rows, largest difference", off, operators)
    worst = max(worst, off)
assert worst < 1e-6, worst
print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__, "worst", worst)
