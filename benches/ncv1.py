#!/usr/bin/env python3
"""Whole studies against scikit-learn: the same candidates on the same folds, timed in one run.

usage: ncv1.py COMMAND [TABLE ...] --tables FOLDER --peer FOLDER [options]

  nested    nested cross-validation over all candidates beside the hand-written scikit-learn script
  again     a run after a change of metric, threshold or tuning rule, and after a further operation
  wide      a table widened with permuted copies of its columns beside plain GridSearchCV
  permuted  the whole procedure on permuted outcomes
  sweep     4 selectors x 5 learners, 5 x 5, on every table, nested AUROC beside scikit-learn's

--tables holds NAME.csv.gz with the columns ID and Target. --peer holds nested_cv_sklearn.py with
common.py and anchors/folds, the other side of the comparison. CPU is user and system time of the
process and its children, as the kernel counts it; wall time means little on a machine that
computes something else beside. Needs Python with scikit-learn and lightgbm (the peer's own needs).
"""
import argparse, csv, gzip, json, os, random, re, shutil, subprocess, sys, time
from pathlib import Path

PEER = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONWARNINGS="ignore")

LEARN = {
    "lr": "logistic: { penalty: l2, c: [0.01, 0.1, 1, 10] }",
    "svm": "svm_rbf: { c: [0.1, 1, 10], gamma: [0.01, 0.05, 0.2] }",
    "rf": "random_forest: { trees: 300, depth: [3, null] }",
    "gbm": "gradient_boosting: { rounds: 200, learning_rate: [0.03, 0.1], leaves: [4, 15], min_child: 5 }",
}

STUDY = """restudy: 1
title: Benchmark on {table}
cancer: any
seed: 1
sources:
  features: {{ table: table.csv, id: ID }}
  cv: {{ table: folds.csv, id: ID }}
cohorts:
  all: {{ from: features, join: {{ cv: required }} }}
outcomes:
  target: {{ label: target, binary: {{ column: features.Target, positive: 1, negative: 0 }} }}
predictors:
  radiomics: {{ columns: {{ from: features, except: [Target] }} }}
prepare: [impute_median, drop_constant, scale_zscore, drop_correlated: {{ threshold: 0.95 }}]
select:
{select}
learn:
{learn}
validate:
  internal: {{ {validate} }}
{frozen}evaluate:
  primary: {primary}
{evaluate}governance: {{ public: true, terms: benchmark }}
"""

SELECT = ["anova: { k: [8, 16, 32] }", "mrmr: { k: [8, 16, 32] }", "lasso: { k: [8, 16, 32] }"]
FOLDS = ("folds: {{ from: cv, columns: [outer_s{0}], inner: 5, "
         "inner_columns: [inner_s{0}_o0, inner_s{0}_o1, inner_s{0}_o2, inner_s{0}_o3, inner_s{0}_o4] }}")


def items(lines):
    return "\n".join(f"  - {line}" for line in lines)


# The other side has no controls, draws no learning curve, and makes and explains no model of all rows:
# what restudy would add by itself is left out.
ALONE = "controls: { added: { none: benchmark }, permuted_outcome: { none: benchmark } }"


def study(table, select=SELECT, learn=(), validate="", primary="auroc", evaluate=(), frozen=True):
    if not any(line.startswith("controls:") for line in evaluate):
        evaluate = [*evaluate, ALONE]
    evaluate = [*evaluate, "learning_curve: { none: benchmark }"]
    more = "".join(f"  {line}\n" for line in evaluate)
    return STUDY.format(table=table, select=items(select), learn=items(learn), validate=validate,
                        primary=primary, evaluate=more, frozen="" if frozen else "frozen: none\n")


def timed(command, cwd=None, env=None):
    """Runs a program; gives its output, CPU and wall seconds, and its peak memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True)
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    if code != 0:
        sys.exit(f"{command} ended with {code}:\n{said}")
    return said, used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = Path(options.work)
        self.work.mkdir(parents=True, exist_ok=True)

    def place(self, table):
        """A folder with the table, its folds by id, and the plain table for the peer."""
        folder = self.work / table
        folder.mkdir(exist_ok=True)
        with gzip.open(Path(self.options.tables) / f"{table}.csv.gz", "rt") as source:
            rows = list(csv.reader(source))
        # One published table has rows without an id, which the peer counts in.
        at = rows[0].index("ID")
        for number, row in enumerate(rows[1:], 1):
            row[at] = row[at] or f"row{number}"
        self.write(folder, table, rows)
        folds = Path(self.options.peer) / "anchors" / "folds" / f"{table}.csv"
        if folds.exists():
            with open(folds) as source:
                given = list(csv.reader(source))
        else:
            given = self.deal(rows)
        ids = [row[at] for row in rows[1:]]
        with open(folder / "folds.csv", "w") as out:
            out.write(",".join(["ID"] + given[0][2:]) + "\n")
            for row in given[1:]:
                out.write(",".join([ids[int(row[0])]] + row[2:]) + "\n")
        return folder

    def write(self, folder, table, rows):
        for path in (folder / "table.csv", folder / f"{table}.csv"):
            with open(path, "w", newline="") as out:
                csv.writer(out).writerows(rows)

    def deal(self, rows):
        """The folds that the peer deals itself, for tables without published ones."""
        code = """
import json, sys
from sklearn.model_selection import StratifiedKFold
import numpy as np
y = np.array(json.load(sys.stdin))
outer = np.zeros(len(y), int); inner = -np.ones((5, len(y)), int)
for o, (a, b) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(y, y)):
    outer[b] = o
    for i, (_, d) in enumerate(StratifiedKFold(5, shuffle=True, random_state=1).split(a, y[a])):
        inner[o, a[d]] = i
json.dump([outer.tolist(), inner.tolist()], sys.stdout)
"""
        at = rows[0].index("Target")
        y = [int(float(row[at])) for row in rows[1:]]
        done = subprocess.run([self.options.python, "-c", code], input=json.dumps(y), text=True,
                              capture_output=True, check=True, env=PEER)
        outer, inner = json.loads(done.stdout)
        given = [["row", "target", "outer_s0"] + [f"inner_s0_o{o}" for o in range(5)]]
        for row, label in enumerate(y):
            given.append([str(row), str(label), str(outer[row])] + [str(i[row]) for i in inner])
        return given

    def run(self, folder, text, jobs=1, fresh=True):
        (folder / "study.yaml").write_text(text)
        if fresh:
            for name in (".restudy", "runs"):
                shutil.rmtree(folder / name, ignore_errors=True)
        command = [str(Path(self.options.restudy).resolve()), "run", "study.yaml", "--json",
                   "--jobs", str(jobs)]
        said, cpu, wall, rss = timed(command, cwd=folder)
        report = json.loads((folder / "runs/study/report.json").read_text())
        return {"said": json.loads(said), "cpu": cpu, "wall": wall, "rss": rss, "report": report}

    def peer(self, folder, table, variant="expert", jobs=1, limit=5, skip="", families=True):
        out = folder / "peer.jsonl"
        out.unlink(missing_ok=True)
        command = [self.options.python, str(Path(self.options.peer).resolve() / "nested_cv_sklearn.py"),
                   str(folder), table, "--variant", variant, "--n-jobs", str(jobs),
                   "--outer-limit", str(limit), "--out", str(out)]
        if families and variant == "expert":
            command.append("--families")
        if skip:
            command += ["--skip", skip]
        start = time.perf_counter()
        timed(command, env=PEER)
        record = json.loads(out.read_text())
        record["with_start"] = time.perf_counter() - start
        return record


def analysis(run):
    return next(iter(run["report"]["analyses"].values()))


def said(name, found, per=1.0):
    cpu, wall, rss = found
    scale = "" if per == 1.0 else f" (times {per:g})"
    print(f"  {name:<28} CPU {cpu * per:8.2f} s  wall {wall * per:8.2f} s  peak {rss:5.0f} MiB{scale}",
          flush=True)


def shown(peer):
    return peer["cpu_s"], peer["wall_s"], peer["peak_rss_mib"]


def nested(bench, tables):
    o = bench.options
    for table in tables:
        folder = bench.place(table)
        families = [name for name in LEARN if name not in o.skip.split(",")]
        learn = [LEARN[name] for name in families]
        print(f"{table}: {', '.join(families)}; one seed, 5 x 5 folds", flush=True)
        reports = []
        for jobs in map(int, o.jobs.split(",")):
            text = study(table, learn=learn, validate=FOLDS.format(0), frozen=o.frozen)
            run = bench.run(folder, text, jobs)
            reports.append((folder / "runs/study/report.json").read_bytes())
            said(f"restudy, {jobs} thread(s)", (run["cpu"], run["wall"], run["rss"]))
            if o.peer_jobs and jobs not in map(int, o.peer_jobs.split(",")):
                continue
            # Without the refits of each family's winner, which our side does not make.
            peer = bench.peer(folder, table, jobs=jobs, limit=o.limit, skip=o.skip, families=False)
            per = 5 / o.limit
            said(f"scikit-learn, {jobs} process(es)", shown(peer), per)
            print(f"  ratio: CPU {peer['cpu_s'] * per / run['cpu']:.1f}, "
                  f"wall {peer['wall_s'] * per / run['wall']:.1f}; the report included", flush=True)
            found = analysis(run)["performance"]["auroc"]["folds"]
            best = peer["results"]["best"]
            print("  AUROC by fold: restudy", [round(f, 4) for f in found],
                  "scikit-learn", [round(f, 4) for f in best["fold_auc"]], flush=True)
        print(f"  same bytes on every number of threads: {len(set(reports)) == 1}", flush=True)


def again(bench, tables):
    """What a change of the study costs once everything is stored."""
    for table in tables:
        folder = bench.place(table)
        learn = [LEARN[name] for name in LEARN if name not in bench.options.skip.split(",")]
        youden = "threshold: { rule: youden, learned_from: inner_out_of_fold }"
        rule = "threshold: { rule: sensitivity_at_least, value: 0.9, learned_from: inner_out_of_fold }"
        validate = FOLDS.format(0)

        def text(**more):
            return study(table, **{"learn": learn, "validate": validate, "evaluate": [youden], **more})

        run = bench.run(folder, text())
        print(f"{table}: first run", flush=True)
        said("restudy", (run["cpu"], run["wall"], run["rss"]))
        first_select = ["relieff: { k: [8, 16, 32] }"]
        for what, more in [
            ("nothing changed", {}),
            ("a further metric", {"evaluate": [youden, "also: [mcc]"]}),
            ("another primary metric", {"primary": "log_loss"}),
            ("another rule and metric", {"primary": "average_precision",
                                         "evaluate": [youden, "tune: one_standard_error"]}),
            ("another threshold rule", {"evaluate": [rule]}),
            ("another tuning rule", {"evaluate": [youden, "tune: one_standard_error"]}),
            ("a further learner", {"learn": learn + ["naive_bayes"]}),
            ("a further selector", {"select": SELECT + first_select}),
        ]:
            bench.run(folder, text(), fresh=False)  # As it was, so that each change stands alone.
            run = bench.run(folder, text(**more), fresh=False)
            journals = sorted((folder / ".restudy/runs/study").iterdir())
            if run["said"]["computed"] == 0:
                print(f"  {what:<28} CPU {run['cpu']:6.3f} s  wall {run['wall']:6.3f} s  "
                      "0 nodes computed", flush=True)
                continue
            nodes = [json.loads(line) for line in journals[-1].read_text().splitlines()]
            done = [node["node"] for node in nodes if node["how"] in ("Computed", "CutOff")]
            fits = [node for node in done if fits_something(node)]
            ahead = sum(node.endswith("/alternatives") for node in done)
            print(f"  {what:<28} CPU {run['cpu']:6.3f} s  wall {run['wall']:6.3f} s  "
                  f"{len(done)} of {len(nodes)} nodes computed, {len(fits)} of them fits"
                  + (f", {ahead} look for what other ways would choose" if ahead else ""), flush=True)
            if what.startswith("a further") and "metric" not in what:
                own = "naive_bayes" if "learner" in what else "relieff"
                strangers = [node for node in fits if own not in node]
                print(f"    fits that do not belong to it: {len(strangers)}", flush=True)


def fits_something(node):
    """Whether a node prepares, ranks or fits: `analysis/r01.o1.i1/selector[/learner]`, `.../r01.o1/fit`,
    `outcome.model.frozen/refit`, and `.../explain`, which fits the model again on resampled rows."""
    *places, last = node.split("/")
    if last in ("refit", "explain"):
        return True
    return any(re.match(r"r\d+\.o\d+", place) for place in places) and last not in (
        "tune", "winner", "link", "threshold", "predict", "decide", "importance", "calibrate", "alternatives")


def widened(rows, copies):
    """The table with permuted copies of its columns behind it."""
    draw = random.Random(1)
    at = [j for j, name in enumerate(rows[0]) if name not in ("ID", "Target")]
    out = [list(row) for row in rows]
    for copy in range(copies):
        order = list(range(1, len(rows)))
        for j in at:
            draw.shuffle(order)
            out[0].append(f"{rows[0][j]}_{copy + 1}")
            for row, other in enumerate(order):
                out[row + 1].append(rows[other][j])
    return out


def wide(bench, tables):
    o = bench.options
    for table in tables:
        folder = bench.place(table)
        with gzip.open(Path(o.tables) / f"{table}.csv.gz", "rt") as source:
            rows = list(csv.reader(source))
        p = len(rows[0]) - 2
        rows = widened(rows, round(o.columns / p) - 1)
        bench.write(folder, table, rows)
        families = [name for name in LEARN if name not in o.skip.split(",")]
        learn = [LEARN[name] for name in families]
        print(f"{table} widened to {len(rows[0]) - 2} columns: {', '.join(families)}", flush=True)
        text = study(table, learn=learn, validate=FOLDS.format(0), frozen=o.frozen)
        run = bench.run(folder, text)
        said("restudy, 1 thread", (run["cpu"], run["wall"], run["rss"]))
        # Plain search over some candidates of one outer fold; each candidate prepares and ranks anew.
        code = PLAIN.format(peer=str(Path(o.peer).resolve()), folder=str(folder), table=table,
                            families=families, points=o.points)
        done = subprocess.run([o.python, "-c", code], capture_output=True, text=True, env=PEER)
        if done.returncode != 0:
            sys.exit(done.stderr)
        found = json.loads(done.stdout)
        whole = 0.0
        for family, per_fit, points in found:
            whole += per_fit * points * 25
            print(f"  GridSearchCV, {family:<4} {per_fit:8.3f} CPU s a fit and score; "
                  f"{points} candidates x 25 inner splits", flush=True)
        print(f"  GridSearchCV, extrapolated to all candidates and splits, refits left out: "
              f"CPU {whole:.0f} s; ratio {whole / run['cpu']:.0f}", flush=True)


PLAIN = """
import sys, json, time, warnings
warnings.filterwarnings("ignore")
sys.path.insert(0, {peer!r})
sys.argv = ["x"]
import nested_cv_sklearn as peer
from common import *
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import Pipeline
X, y = load({folder!r}, {table!r})
tr, te = next(iter(outer_cv(0).split(X, y)))
names = ["lr", "svm", "rf", "gbm"]
out = []
for name, grid in zip(names, peer.grids(0)):
    if name not in {families!r}:
        continue
    points = len(list(ParameterGrid(grid)))
    # One grid point per selector, as written first: k = 8.
    some = {{key: values[:1] for key, values in grid.items()}}
    some["sel__method"] = grid["sel__method"][:{points}]
    pipe = Pipeline([("prep", Prep()), ("sel", RankSelect()), ("clf", None)])
    start = time.process_time()
    GridSearchCV(pipe, some, scoring="roc_auc", cv=inner_cv(0), refit=False).fit(X[tr], y[tr])
    per = (time.process_time() - start) / (5 * len(some["sel__method"]))
    out.append([name, per, points])
print(json.dumps(out))
"""


def permuted(bench, tables):
    for table in tables:
        folder = bench.place(table)
        control = (f"controls: {{ added: {{ none: benchmark }}, "
                   f"permuted_outcome: {{ times: {bench.options.times} }} }}")
        select = ["anova: { k: [8, 16, 32] }", "mrmr: { k: [8, 16, 32] }"]
        text = study(table, select=select, learn=[LEARN["lr"]], evaluate=[control],
                     validate="nested: { outer: 5, inner: 5, repeats: 1 }")
        run = bench.run(folder, text, jobs=2)
        found = analysis(run)["permutation"]
        print(f"{table}: {found['times']} permutations of the whole pipeline (24 candidates, 5 x 5)")
        said("restudy, 2 threads", (run["cpu"], run["wall"], run["rss"]))
        print(f"  AUROC {found['observed']:.3f}, p = {found['p']:.4f}; permuted mean {found['mean']:.4f}, "
              f"sd {found['sd']:.4f}", flush=True)


SWEEP_SELECT = SELECT + ["mutual_information: { k: [8, 16, 32] }"]
SWEEP_LEARN = [LEARN["lr"], LEARN["svm"], "random_forest: { trees: 300, depth: [3, null] }",
               LEARN["gbm"], "naive_bayes"]


def sweep(bench, tables):
    o = bench.options
    tables = tables or sorted(path.name[:-7] for path in Path(o.tables).glob("*.csv.gz"))
    cpu = wall = peak = 0.0
    rows = []
    for table in tables:
        folder = bench.place(table)
        run = bench.run(folder, study(table, select=SWEEP_SELECT, learn=SWEEP_LEARN,
                                      validate=FOLDS.format(0)), jobs=2)
        found = analysis(run)
        cpu, wall, peak = cpu + run["cpu"], wall + run["wall"], max(peak, run["rss"])
        auroc = found["performance"]["auroc"]
        other = "-"
        if o.with_peer:
            peer = bench.peer(folder, table, skip=o.skip, families=False)
            other = f"{peer['results']['best']['mean']:.3f} ({peer['cpu_s']:.0f} CPU s)"
        row = (f"  {table:<26} {found['n']:>4} x {found['n_predictors']:<6} AUROC {auroc['estimate']:.3f} "
               f"({auroc['lower']:.3f}-{auroc['upper']:.3f})  scikit-learn {other:<18} "
               f"CPU {run['cpu']:7.2f} s  wall {run['wall']:7.2f} s  peak {run['rss']:4.0f} MiB")
        print(row, flush=True)
        rows.append(row)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(rows)} tables: CPU {cpu:.0f} s, wall {wall:.0f} s on 2 threads, peak {peak:.0f} MiB")


COMMANDS = {"nested": nested, "again": again, "wide": wide, "permuted": permuted, "sweep": sweep}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("table", nargs="*")
    parser.add_argument("--tables", required=True)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--restudy", default="target/release/restudy")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--work", default="target/ncv1")
    parser.add_argument("--skip", default="", help="families left out: lr, svm, rf, gbm")
    parser.add_argument("--jobs", default="1,2", help="numbers of threads")
    parser.add_argument("--peer-jobs", default="", help="for which of them the peer runs too; all")
    parser.add_argument("--limit", type=int, default=5, help="outer folds of the peer; its time is scaled up")
    parser.add_argument("--columns", type=int, default=10000)
    parser.add_argument("--points", type=int, default=3, help="selectors that plain search is timed on")
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--with-peer", action="store_true")
    parser.add_argument("--frozen", action="store_true",
                        help="also tune, fit and explain a model on all rows, which the peer does not")
    options = parser.parse_args()
    COMMANDS[options.command](Bench(options), options.table)


if __name__ == "__main__":
    main()
