"""Reference values of ComBat with a reference batch and with a category to keep: neuroCombat 0.2.12.

    pip install neuroCombat==0.2.12 && python tests/reference/make_combat.py

Writes combat.csv: simulated rows (batch, sex, f0 to f5) and, as NAME_f0 and so on, the rows harmonised
to batch b (`to_b`), with sex kept (`sex`), and by location alone with sex kept (`mean`).
"""

import contextlib
import io
import pathlib

import numpy as np
import pandas as pd

np.int = int  # neuroCombat 0.2.12 asks for it; numpy no longer has it.
from neuroCombat import neuroCombat

rng = np.random.default_rng(5)
n = 45
d = pd.DataFrame({"batch": rng.choice(["a", "b", "c"], n), "sex": rng.choice(["f", "m"], n)})
shift = d["batch"].map({"a": 0.0, "b": 1.5, "c": -0.8}).to_numpy()
spread = d["batch"].map({"a": 1.0, "b": 2.0, "c": 0.6}).to_numpy()
for j in range(6):
    d[f"f{j}"] = np.round(10 * j + shift * (1 + 0.1 * j) + 0.7 * (d["sex"] == "m") + spread * rng.normal(size=n), 6)
features = [f"f{j}" for j in range(6)]
x = d[features].to_numpy().T


def combat(**more):
    with contextlib.redirect_stdout(io.StringIO()):
        return neuroCombat(dat=x.copy(), covars=d[["batch", "sex"]], batch_col="batch", **more)["data"].T


out = d.copy()
for name, more in {
    "to_b": {"ref_batch": "b"},
    "sex": {"categorical_cols": ["sex"]},
    "mean": {"categorical_cols": ["sex"], "mean_only": True},
}.items():
    values = combat(**more)
    for j, feature in enumerate(features):
        out[f"{name}_{feature}"] = values[:, j]
out.to_csv(pathlib.Path(__file__).parent / "combat.csv", index=False, float_format="%.10g")
