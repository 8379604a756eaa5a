"""Makes penalised_*.csv: sparse and kernel learners, paths and eliminations by scikit-learn, and the
cross-validated lasso by R's glmnet, on the rows of tall.csv and wide.csv of this folder.

    pip install scikit-learn==1.9.1 && apt install r-cran-glmnet && python tests/reference/penalised.py

The first two thirds of the rows are training rows, standardised as in make.py. The file of scores has
a column for each setting and a row for each of the last rows; that of orders has a line for each
selector: its settings, then columns, best first.
"""
import csv
import pathlib
import subprocess
import tempfile

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import RFE
from sklearn.linear_model import LogisticRegression, enet_path
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

here = pathlib.Path(__file__).parent


def rows(name):
    with open(here / f"{name}.csv") as file:
        lines = list(csv.DictReader(file))
    names = [c for c in lines[0] if c[0] == "c" and c[1:].isdigit()]
    x = np.array([[float(line[c]) for c in names] for line in lines])
    y = np.array([int(line["y"]) for line in lines])
    k = len(y) * 2 // 3
    scaler = StandardScaler().fit(x[:k])
    return scaler.transform(x[:k]), y[:k], scaler.transform(x[k:])


def margin(x, y, rest, kernel, **how):
    """Decision values of a support vector machine. libsvm keeps its kernel in single precision, so
    only which rows are free or at their bound is taken from it; the rest is solved in double."""
    gamma = how.get("gamma", 0)
    gamma = 1 / (x.shape[1] * x.var()) if gamma == "scale" else gamma
    product = {
        "linear": lambda a, b: a @ b.T,
        "rbf": lambda a, b: np.exp(-gamma * ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)),
    }[kernel]
    model = SVC(kernel=kernel, tol=1e-10, **how).fit(x, y)
    caps = how["C"] * np.ones(len(y))
    if how.get("class_weight"):
        caps = caps * np.where(y == 1, len(y) / (2 * (y == 1).sum()), len(y) / (2 * (y == 0).sum()))
    beta = np.zeros(len(y))
    beta[model.support_] = model.dual_coef_[0]
    bound = abs(beta) > caps * (1 - 1e-6)
    free = (abs(beta) > caps * 1e-9) & ~bound
    sign = np.where(y == 1, 1.0, -1.0)
    beta = np.where(bound, sign * caps, 0)
    k = product(x, x)
    n = free.sum()
    if n == 0:
        return model.decision_function(rest)
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = k[np.ix_(free, free)]
    system[n, n] = 0
    found = np.linalg.solve(system, np.append(sign[free] - k[free] @ beta, -beta.sum()))
    beta[free] = found[:n]
    assert (beta * sign >= 0).all() and (beta * sign <= caps * (1 + 1e-12)).all()
    slack = sign * (k @ beta + found[n]) - 1
    assert (slack[(beta == 0)] > -1e-9).all() and (slack[bound] < 1e-9).all()
    return product(rest, x) @ beta + found[n]


def scores(x, y, rest):
    found = {}
    for weight in (None, "balanced"):
        tail = "_balanced" if weight else ""
        # Fewer positives, so that weights differ.
        some = np.flatnonzero((y == 0) | (np.arange(len(y)) % 3 != 0)) if weight else np.arange(len(y))
        a, b = x[some], y[some]
        for c in (0.3, 1.0, 20.0):
            for mix in (1.0, 0.3):
                model = LogisticRegression(C=c, l1_ratio=mix, solver="saga", tol=1e-13, max_iter=2_000_000, class_weight=weight)
                found[f"logistic{tail} c={c:g} mix={mix:g}"] = model.fit(a, b).predict_proba(rest)[:, 1]
                # `saga` ends at once, without its intercept, where all coefficients stay zero.
                assert model.coef_.any()
            if weight:
                model = LogisticRegression(C=c, tol=1e-13, max_iter=100_000, class_weight=weight)
                found[f"logistic{tail} c={c:g} mix=0"] = model.fit(a, b).predict_proba(rest)[:, 1]
            found[f"svm_linear{tail} c={c:g}"] = margin(a, b, rest, "linear", C=c, class_weight=weight)
            for gamma in (0.02, "scale"):
                found[f"svm_rbf{tail} c={c:g} gamma={gamma}"] = margin(a, b, rest, "rbf", C=c, gamma=gamma, class_weight=weight)
    for shrinkage in ("auto", 0.3, None):
        if shrinkage is None and x.shape[1] >= len(x):
            continue
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
        word = {"auto": "ledoit_wolf", None: "none"}.get(shrinkage, shrinkage)
        found[f"lda shrinkage={word}"] = model.fit(x, y).predict_proba(rest)[:, 1]
    return found


def orders(x, y):
    for mix in (1.0, 0.5, 0.1):
        centred = y - y.mean()
        _, w, _ = enet_path(x, centred, l1_ratio=mix, eps=0.05, alphas=50, tol=1e-15, max_iter=10_000_000)
        first = np.where((w != 0).any(axis=1), (w != 0).argmax(axis=1), 10**9)
        size = np.array([abs(w[j, f]) if f < 10**9 else 0 for j, f in enumerate(first)])
        order = np.lexsort((-size, first))
        yield f"elastic_net mix={mix:g}", [j for j in order if first[j] < 10**9]
    for step in (1, 7):
        for kind, model in [("svm_linear", SVC(C=0.5, kernel="linear", tol=1e-10)),
                            ("logistic", LogisticRegression(C=0.5, tol=1e-13, max_iter=100_000))]:
            left = [frozenset(np.flatnonzero(RFE(model, n_features_to_select=k, step=step).fit(x, y).support_))
                    for k in range(1, x.shape[1] + 1)]
            order = [next(iter(left[0]))] + [next(iter(b - a)) for a, b in zip(left, left[1:])]
            yield f"rfe step={step} c=0.5 model={kind}", order
    # The folds of restudy with every row its own group: positives first, then dealt in turn.
    dealt = np.lexsort((np.arange(len(y)), 1 - y))
    fold = np.empty(len(y), int)
    fold[dealt] = np.arange(len(y)) % 5
    greatest = max(abs(x.T @ (y - y.mean()))) / len(y)
    lambdas = greatest * 0.01 ** (np.arange(60) / 59)
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder) / "rows.csv"
        np.savetxt(table, np.column_stack([y, fold + 1, x]), delimiter=",")
        np.savetxt(pathlib.Path(folder) / "lambdas.csv", lambdas)
        # grouped = TRUE takes the error of a fold as one value.
        script = f"""
            suppressMessages(library(glmnet))
            t <- as.matrix(read.csv("{table}", header = FALSE)); l <- scan("{folder}/lambdas.csv", quiet = TRUE)
            x <- t[, -(1:2)]; y <- t[, 1]
            f <- cv.glmnet(x, y, foldid = t[, 2], lambda = l, standardize = FALSE, thresh = 1e-20, maxit = 1e8)
            for (s in c("lambda.min", "lambda.1se"))
                cat(s, which(as.matrix(coef(f, s = s))[-1, 1] != 0) - 1, "\\n")
        """
        out = subprocess.run(["Rscript", "-e", script], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        word, *columns = line.split()
        yield f"lasso lambda={word.removeprefix('lambda.')}", columns


if __name__ == "__main__":
    for name in ("tall", "wide"):
        x, y, rest = rows(name)
        found = scores(x, y, rest)
        with open(here / f"penalised_{name}.csv", "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(found)
            out.writerows([repr(float(v)) for v in row] for row in zip(*found.values()))
        with open(here / f"penalised_{name}_orders.csv", "w", newline="") as file:
            out = csv.writer(file)
            out.writerows([what, *order] for what, order in orders(x, y))
