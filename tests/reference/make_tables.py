"""Reference values of filters and transforms: scikit-learn, scipy, mrmr-selection, scikit-rebate.

Made with numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, mrmr-selection 0.2.8, skrebate 0.8.4:
    python make_tables.py
Reads tall.csv and wide.csv beside it, writes odd.csv (ties, copies, a constant column, scales of
1e12 and 1e-12, a class of 6) and NAME_tables.csv with one row per column. As in the tests, the first
two thirds of the rows are the training rows.
"""

import os

import numpy as np
import pandas as pd
from mrmr import mrmr_classif
from scipy import stats
from skrebate import ReliefF
from sklearn.feature_selection import f_classif
from sklearn.metrics import mutual_info_score
from sklearn.preprocessing import PowerTransformer, RobustScaler

HERE = os.path.dirname(os.path.abspath(__file__))


def odd():
    r = np.random.default_rng(7)
    n = 30
    y = np.array([1 if i % 10 in (0, 3, 7) else 0 for i in range(n)])
    base = r.normal(size=n) + y
    columns = {
        "c0": base,
        "c1": np.round(r.normal(size=n) + 0.7 * y),  # ties
        "c2": base,  # a copy
        "c3": np.exp(r.normal(size=n) + y),  # skewed
        "c4": np.full(n, 3.5),  # constant
        "c5": 1e12 * (r.normal(size=n) + 0.5 * y),
        "c6": 1e-12 * np.exp(r.normal(size=n)),
        "c7": -np.exp(r.normal(size=n) - 0.8 * y),  # all negative
        "c8": r.normal(size=n) + 5,
    }
    frame = pd.DataFrame(columns)
    frame["y"] = y
    frame.to_csv(f"{HERE}/odd.csv", index=False, float_format="%.17g")


def reference(name):
    d = pd.read_csv(f"{HERE}/{name}.csv")
    d = d.iloc[: len(d) * 2 // 3]
    X = d[[c for c in d.columns if c.startswith("c")]]
    y = d["y"].astype(int)
    out = pd.DataFrame({"column": X.columns})
    values = X.to_numpy(float)
    one, zero = values[y == 1], values[y == 0]
    welch = stats.ttest_ind(one, zero, equal_var=False)
    out["welch_t"], out["welch_p"] = np.abs(welch.statistic), welch.pvalue
    out["mann_whitney_p"] = [
        stats.mannwhitneyu(one[:, j], zero[:, j]).pvalue if np.ptp(values[:, j]) else np.nan
        for j in range(values.shape[1])
    ]
    bins = int(np.ceil(2 * np.cbrt(len(d)) - 1e-9))

    def information(x):
        edges = np.linspace(x.min(), x.max(), bins + 1)[1:-1]
        return mutual_info_score(y, np.digitize(x, edges))

    out["information"] = [information(x) for x in values.T]
    ranking = mrmr_classif(X, y, K=32, show_progress=False, n_jobs=1)
    out["mrmr_place"] = [ranking.index(c) if c in ranking else np.nan for c in X.columns]
    varies = np.ptp(values, axis=0) > 0
    for k in (3, 5):
        # Every column as numbers: the threshold keeps ties from being taken for categories.
        relieff = ReliefF(n_neighbors=k, categorical_threshold=1).fit(values[:, varies], y.to_numpy())
        weights = np.full(len(varies), np.nan)
        weights[varies] = relieff.feature_importances_
        out[f"relieff_{k}"] = weights
    scaler = RobustScaler().fit(values)
    out["median"], out["iqr"] = scaler.center_, scaler.scale_
    out["lambda"] = PowerTransformer(standardize=False).fit(values).lambdas_
    out.to_csv(f"{HERE}/{name}_tables.csv", index=False, float_format="%.15g")


odd()
for name in ("tall", "wide", "odd"):
    reference(name)
