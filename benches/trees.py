#!/usr/bin/env python3
"""Whole fits of forests and boosting beside R's ranger and LightGBM, by number of rows and columns.

usage: trees.py [--rscript Rscript] [--sizes 100x16,1000x3000] [--rounds 7]

Runs `cargo bench --bench learning_trees` for our side, then the same settings on rows of the same kind
(normal values, two of the columns shift the odds) in the peers, each on one thread: 300 trees grown out
or to depth 3, sqrt(p) columns a split; 200 rounds with 4 or 15 leaves and at least 5 rows a leaf. The
peers are timed inside their own process, so that starting R or Python is not counted; the shortest of
the rounds counts on every side. Needs Python with numpy and lightgbm, and R with ranger.
"""
import argparse, os, re, subprocess, sys, time
from pathlib import Path

FOREST = """
library(ranger)
sizes <- list(%s)
for (size in sizes) {
  n <- size[1]; p <- size[2]
  set.seed(1)
  x <- matrix(rnorm(n * p), n); colnames(x) <- paste0("c", seq_len(p))
  y <- factor(x[, 1] + 0.5 * x[, 2] + rnorm(n) > 0)
  for (depth in c(0, 3)) {
    best <- Inf
    for (round in seq_len(%d)) {
      t <- system.time(ranger(x = x, y = y, num.trees = 300, max.depth = depth, probability = TRUE,
        min.node.size = 1, oob.error = FALSE, num.threads = 1, verbose = FALSE, seed = round))
      best <- min(best, t[["elapsed"]])
    }
    cat(n, p, depth, best, "\\n")
  }
}
"""

BENCHES = {
    "forest_of_300_trees": ("ranger", "forest, grown out", 300, 0),
    "forest_of_300_trees_of_depth_3": ("ranger", "forest, depth 3", 300, 3),
    "boosting_of_200_rounds_with_4_leaves": ("LightGBM", "boosting, 4 leaves", 200, 4),
    "boosting_of_200_rounds_with_15_leaves": ("LightGBM", "boosting, 15 leaves", 200, 15),
}
UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def ours():
    """Shortest time by bench and size, out of what `cargo bench` draws."""
    run = subprocess.run(["cargo", "bench", "--locked", "--bench", "learning_trees"],
                         stdout=subprocess.PIPE, text=True, check=True)
    found, bench = {}, None
    for line in run.stdout.splitlines():
        named = re.match(r"[├╰]─ (\w+)", line)
        if named:
            bench = named[1]
        timed = re.match(r".*[├╰]─ \((\d+), (\d+)\)\s+([\d.]+) (ns|µs|ms|s)", line)
        if timed:
            size = (int(timed[1]), int(timed[2]))
            found[bench, size] = float(timed[3]) * UNITS[timed[4]]
    return found


def ranger(rscript, sizes, rounds):
    script = FOREST % (", ".join(f"c({n}, {p})" for n, p in sizes), rounds)
    run = subprocess.run([rscript, "-e", script], stdout=subprocess.PIPE, text=True, check=True)
    rows = [line.split() for line in run.stdout.splitlines() if line.strip()]
    return {((int(n), int(p)), int(depth)): float(best) for n, p, depth, best in rows}


def boosted(sizes, rounds):
    import lightgbm, numpy
    found = {}
    for n, p in sizes:
        random = numpy.random.default_rng(1)
        x = random.standard_normal((n, p))
        y = (x[:, 0] + 0.5 * x[:, 1] + random.standard_normal(n) > 0).astype(int)
        for leaves in (4, 15):
            settings = dict(objective="binary", num_leaves=leaves, min_data_in_leaf=5,
                            learning_rate=0.1, num_threads=1, verbose=-1, force_col_wise=True)
            best = float("inf")
            for _ in range(rounds):
                start = time.perf_counter()
                # The bins are made anew in every fit, as they are on our side.
                lightgbm.train(settings, lightgbm.Dataset(x, y, params=settings), 200)
                best = min(best, time.perf_counter() - start)
            found[(n, p), leaves] = best
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rscript", default="Rscript")
    parser.add_argument("--sizes", default="32x16,100x16,100x32,200x16,1000x3000")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    sizes = [tuple(int(part) for part in size.split("x")) for size in args.sizes.split(",")]
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    mine = ours()
    peers = {"ranger": ranger(args.rscript, sizes, args.rounds), "LightGBM": boosted(sizes, args.rounds)}
    print(f"{'fit':22}{'rows x columns':>16}{'ours':>12}{'peer':>12}{'':>10}  peer / ours")
    for bench, (peer, what, trees, setting) in BENCHES.items():
        for size in sizes:
            if (bench, size) not in mine:
                sys.exit(f"error: `cargo bench` did not time {bench} at {size}")
            own, other = mine[bench, size], peers[peer][size, setting]
            each = lambda whole: f"{whole / trees * 1e6:.1f} µs"
            print(f"{what:22}{f'{size[0]} x {size[1]}':>16}{each(own):>12}{each(other):>12}{peer:>10}"
                  f"  {other / own:.2f}")
    print("times are per tree, on one thread")


if __name__ == "__main__":
    main()
