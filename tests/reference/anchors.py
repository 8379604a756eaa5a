"""Makes anchors.csv: areas where the reference run's lasso stopped short of its minimum.

    python tests/reference/anchors.py BENCH DATA PLACE … > tests/reference/anchors.csv

BENCH holds `common.py` and `anchors/`, DATA the tables (`NAME.csv.gz`); a PLACE is the first six
cells of a line of `anchors/fixed_auc.csv`. The reference run stops each fit of the path at a duality gap
of 1e-4; here the same lines of scikit-learn go on to 1e-14. A place is printed only if by that the
chosen columns, and nothing else, differ.
"""
import sys

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, lasso_path
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC

bench, data, *places = sys.argv[1:]
sys.path.insert(0, bench)
import common  # noqa: E402


def ranking(x, y, tol):
    _, w, _ = lasso_path(x, y - y.mean(), eps=0.05, alphas=50, tol=tol, max_iter=10_000_000)
    first = np.where((w != 0).any(axis=1), (w != 0).argmax(axis=1), 10**9)
    size = np.array([abs(w[j, f]) if f < 10**9 else 0 for j, f in enumerate(first)])
    order = np.lexsort((-size, first))
    return [int(j) for j in order if first[j] < 10**9]


print("table,seed,fold,selection,k,model,auc")
known = pd.read_csv(f"{bench}/anchors/fixed_auc.csv", dtype=str).set_index(
    ["table", "seed", "fold", "selection", "k", "model"]
)["auc"]
for place in places:
    table, seed, fold, selection, k, model = place.split(",")
    assert selection == "lasso"
    frame = pd.read_csv(f"{data}/{table}.csv.gz")
    y = frame["Target"].to_numpy(int)
    x = frame.drop(columns=[c for c in ("ID", "Target") if c in frame]).to_numpy(float)
    held = pd.read_csv(f"{bench}/anchors/folds/{table}.csv")[f"outer_s{seed}"].to_numpy() == int(fold)
    prepared = common.Prep().fit(x[~held])
    train, test = prepared.transform(x[~held]), prepared.transform(x[held])
    found = {}
    for tol in (1e-4, 1e-14):
        columns = ranking(train, y[~held], tol)[: int(k)]
        print(f"{place} at {tol:g}: {columns}", file=sys.stderr)
        learner = SVC(C=1, gamma=0.05, tol=1e-6) if model[0] == "s" else LogisticRegression(C=0.1, max_iter=5000, tol=1e-10)
        scores = learner.fit(train[:, columns], y[~held]).decision_function(test[:, columns])
        found[tol] = set(columns), roc_auc_score(y[held], scores)
    assert abs(found[1e-4][1] - float(known[tuple(place.split(","))])) < 1e-6
    if found[1e-4][0] != found[1e-14][0]:
        print(f"{place},{found[1e-14][1]:.10f}")
