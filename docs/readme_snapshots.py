"""Make the README's tables of snapshots: ``python docs/readme_snapshots.py DATASET [--preset quick] [--seeds 5]``.

A row per online step, mean ± standard deviation of the AUC over seeds in per cent; the last row is the mean over the
steps. Below, what distillation gained over the student alone, with a paired t-test over the seeds. Finished runs are
not run again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from workbench.analysis.statistics import paired_test, summarise
from workbench.spec import Spec

COLUMNS = {
    "teacher": "teacher",
    "student": "distilled student",
    "plain": "student alone",
    "common_neighbours": "common neighbours",
    "adamic_adar": "Adamic–Adar",
    "preferential_attachment": "product of degrees",
    "edge_bank": "last snapshot",
}


def cell(values: Sequence[float | None]) -> str:
    known = [100 * value for value in values if value is not None]
    if not known:
        return "–"
    found = summarise(known)
    return f"{found.mean:.1f} ± {found.std or 0:.1f}"


def mean(steps: list[dict[str, Any]], who: str) -> float:
    values = [step["metrics"][who]["auc"] for step in steps if step["metrics"][who]["auc"] is not None]
    return sum(values) / len(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument("--preset")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--root", default="runs")
    arguments = parser.parse_args()
    preset = {} if arguments.preset is None else {"preset": arguments.preset}
    specs = [
        Spec.parse({"dataset": arguments.dataset, "seed": seed, "device": "cpu", **preset}, "readme")
        for seed in range(arguments.seeds)
    ]
    from workbench.runs.api import run_here

    found = [run_here(spec, root=arguments.root).result or {} for spec in specs]
    print(f"| {arguments.dataset}, snapshot | nodes | new links | " + " | ".join(COLUMNS.values()) + " |")
    print("|" + "---|" * (3 + len(COLUMNS)))
    for steps in zip(*(result["steps"] for result in found), strict=True):
        first = steps[0]
        cells = [cell([step["metrics"][who]["auc"] for step in steps]) for who in COLUMNS]
        count = sum(first["links"].values())
        print(f"| {first['step']} → {first['predicts']} | {first['nodes']:,} | {count:,} | " + " | ".join(cells) + " |")
    means = {who: [mean(result["steps"], who) for result in found] for who in COLUMNS}
    print("| mean | | | " + " | ".join(cell(values) for values in means.values()) + " |")
    test = paired_test([100 * v for v in means["student"]], [100 * v for v in means["plain"]])
    p = "" if test.p is None else f", p = {test.p:.1g}"
    print(f"\ndistilled − alone: {test.difference:+.2f} points of AUC over {len(found)} seeds{p}")
    sizes = found[0]["steps"][-1]["parameters"]
    seconds = [step["update_seconds"]["student"] for result in found for step in result["steps"]]
    latency = [
        [step["latency_ms"][who] for result in found for step in result["steps"]] for who in ("teacher", "student")
    ]
    print(
        f"parameters {sizes['teacher']:,} → {sizes['student']:,}; update {min(seconds):.1f} to {max(seconds):.1f} s; "
        f"a pass {summarise(latency[0]).mean:.1f} ms → {summarise(latency[1]).mean:.1f} ms"
    )


if __name__ == "__main__":
    main()
