"""Writes shap.csv: drawn trees, rows, and what the Python package shap says of them.

    python make_shap.py > shap.csv        (numpy, shap 0.51.0)
"""
import numpy as np
import shap

rng = np.random.default_rng(20261127)
P = 6
lines = []
trees = []


def grow(nodes, depth, cover):
    """Appends a node and what is below it in the order of writing; gives its position."""
    here = len(nodes)
    nodes.append(None)
    if depth == 0 or cover < 4 or rng.random() < 0.15:
        value = float(rng.normal())
        nodes[here] = dict(leaf=True, value=value, cover=cover)
        lines.append(f"leaf,{value!r},{cover}")
        return here
    column, cut = int(rng.integers(P)), float(rng.normal())
    lines.append(f"split,{column},{cut!r},{cover}")
    left = int(rng.integers(1, cover))
    a = grow(nodes, depth - 1, left)
    lines.append("right")
    b = grow(nodes, depth - 1, cover - left)
    nodes[here] = dict(leaf=False, column=column, cut=cut, cover=cover, left=a, right=b)
    return here


for _ in range(8):
    lines.append("tree")
    nodes = []
    grow(nodes, 6, 200)
    get = lambda key, other: np.array([n.get(key, other) for n in nodes])
    trees.append({
        "children_left": get("left", -1).astype(int),
        "children_right": get("right", -1).astype(int),
        "children_default": get("left", -1).astype(int),
        "features": get("column", -1).astype(int),
        "thresholds": get("cut", 0.0).astype(float),
        "values": get("value", 0.0).astype(float).reshape(-1, 1),
        "node_sample_weight": get("cover", 0).astype(float),
    })

explainer = shap.TreeExplainer({"trees": trees}, feature_perturbation="tree_path_dependent")
rows = rng.normal(size=(25, P))
values = explainer.shap_values(rows)
base = float(np.ravel(explainer.expected_value)[0])
for row, value in zip(rows, np.asarray(values).reshape(25, P)):
    lines.append("row," + ",".join(repr(float(v)) for v in row))
    lines.append("shap," + ",".join(repr(float(v)) for v in [base, *value]))
print("# make_shap.py, shap", shap.__version__)
print("\n".join(lines))
