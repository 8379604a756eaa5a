"""Makes `trees*.csv`: trees by scikit-learn, importance by scikit-learn, boosting by LightGBM.

    pip install scikit-learn==1.9.1 lightgbm==4.7.0 && python tests/reference/make_trees.py

Rows are simulated. Values are multiples of 1/64, so single precision holds them, and distinct in
each column. Trees are kept only if fifty random states give the same one: then no split is a tie.
"""
import csv
import pathlib

import lightgbm
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

here = pathlib.Path(__file__).parent
SETTINGS = {
    "gini": dict(criterion="gini", max_depth=3, min_samples_leaf=9),
    "entropy": dict(criterion="entropy", max_depth=3, min_samples_leaf=9),
    "balanced": dict(criterion="gini", max_depth=3, min_samples_leaf=9, class_weight="balanced"),
}


def rows(seed, n=150, p=6):
    rng = np.random.default_rng(seed)
    x = np.stack([rng.permutation(4 * n)[:n] + 1 for _ in range(p)], axis=1) / 64
    z = (x - x.mean(0)) / x.std(0)
    y = (z[:, 0] + z[:, 1] * z[:, 2] + 0.5 * z[:, 3] + rng.normal(size=n) > 0.3).astype(int)
    return x, y


def grown(x, y, setting):
    """The one tree of this setting; None when random states differ."""
    found = None
    for state in range(50):
        t = DecisionTreeClassifier(random_state=state, **setting).fit(x, y).tree_
        nodes = [
            (int(max(t.feature[i], -1)), float(t.threshold[i]) if t.feature[i] >= 0 else 0.0, float(t.value[i, 0, 1] / t.value[i, 0].sum()))
            for i in range(t.node_count)
        ]
        if found is not None and nodes != found:
            return None
        found = nodes
    return found


seed = next(s for s in range(1, 1000) if all(grown(*rows(s), of) for of in SETTINGS.values()))
x, y = rows(seed)
print("seed", seed)
with open(here / "trees.csv", "w", newline="") as file:
    out = csv.writer(file)
    out.writerow([f"c{j}" for j in range(x.shape[1])] + ["y"])
    out.writerows([repr(float(v)) for v in row] + [int(c)] for row, c in zip(x, y))
with open(here / "trees_nodes.csv", "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(["setting", "column", "cut", "share"])
    for name, setting in SETTINGS.items():
        out.writerows((name, column, repr(cut), repr(share)) for column, cut, share in grown(x, y, setting))
forests = [RandomForestClassifier(200, random_state=s).fit(x, y).feature_importances_ for s in range(8)]
with open(here / "trees_importance.csv", "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(["column", "mean", "spread"])
    # Mean and standard deviation over eight forests of 200 trees.
    out.writerows((f"c{j}", repr(float(m)), repr(float(s))) for j, (m, s) in enumerate(zip(np.mean(forests, 0), np.std(forests, 0, ddof=1))))
# Where the number of rows of a leaf is bounded, LightGBM estimates it from curvatures; so it is
# bounded in the first round, when the estimate is exact, and the curvature in later ones.
scores = {}
for leaves in (4, 15):
    for rounds, rows_, curvature in ((1, 5, 1e-3), (50, 0, 1.5)):
        model = lightgbm.LGBMClassifier(
            n_estimators=rounds, learning_rate=0.1, num_leaves=leaves, min_child_samples=rows_, min_child_weight=curvature,
            min_data_in_bin=1, feature_pre_filter=False, n_jobs=1, verbose=-1, deterministic=True, force_col_wise=True,
        ).fit(x, y)
        scores[f"p_{leaves}_{rounds}"] = model.predict_proba(x)[:, 1]
with open(here / "trees_boosting.csv", "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(list(scores))
    out.writerows([repr(float(s[i])) for s in scores.values()] for i in range(len(y)))
