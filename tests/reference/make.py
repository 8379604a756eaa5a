"""Makes the CSV files of this folder: learners and selection by scikit-learn on simulated rows.

    pip install scikit-learn==1.9.1 && python tests/reference/make.py

The first two thirds of the rows are training rows. Each `f_` value is the F statistic of a column
on the training rows; each `p_` and `u_` column holds probabilities for the last third: of the
class `y`, and of the rarer class `u` with classes that count the same.
"""
import csv
import pathlib

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

here = pathlib.Path(__file__).parent
for name, n, p, seed in [("tall", 60, 5, 1), ("wide", 36, 80, 2)]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    x = rng.normal(size=(n, p)) * rng.uniform(0.5, 20, p) + rng.normal(size=p) * 10
    x[:, :3] += y[:, None] * x[:, :3].std(axis=0) * 0.8
    x = np.round(x, 6)
    k = n * 2 // 3
    scaler = StandardScaler().fit(x[:k])
    z, rest = scaler.transform(x[:k]), scaler.transform(x[k:])
    scores = {}
    for c in (0.01, 1.0, 100.0):
        model = LogisticRegression(C=c, solver="newton-cholesky" if p < n else "lbfgs", tol=1e-12, max_iter=100_000)
        scores[f"p_logistic_{c:g}"] = model.fit(z, y[:k]).predict_proba(rest)[:, 1]
    scores["p_knn_5"] = KNeighborsClassifier(5).fit(z, y[:k]).predict_proba(rest)[:, 1]
    scores["p_naive_bayes"] = GaussianNB().fit(z, y[:k]).predict_proba(rest)[:, 1]
    # Classes that count the same although there are few of one: `u` in the file.
    u, half = (np.arange(n) % 3 == 0).astype(int), [0.5, 0.5]
    scores["u_naive_bayes"] = GaussianNB(priors=half).fit(z, u[:k]).predict_proba(rest)[:, 1]
    for rule, shrinkage in [("auto", "auto"), ("tenth", 0.1)]:
        lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage, priors=half)
        scores[f"u_lda_{rule}"] = lda.fit(z, u[:k]).predict_proba(rest)[:, 1]
    near = np.array([np.argsort(np.linalg.norm(z - row, axis=1))[:7] for row in rest])
    count = np.where(u[:k] == 1, k / (2 * u[:k].sum()), k / (2 * (k - u[:k].sum())))
    scores["u_knn_7"] = (count[near] * u[:k][near]).sum(axis=1) / count[near].sum(axis=1)
    f = f_classif(x[:k], y[:k])[0]
    with open(here / f"{name}.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([f"c{j}" for j in range(p)] + ["y", "u"] + list(scores))
        for i in range(n):
            tail = [repr(float(s[i - k])) if i >= k else "" for s in scores.values()]
            out.writerow([repr(float(v)) for v in x[i]] + [y[i], u[i]] + tail)
    with open(here / f"{name}_f.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["column", "f"])
        out.writerows((f"c{j}", repr(float(v))) for j, v in enumerate(f))
