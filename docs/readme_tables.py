"""Make the README's tables: ``python docs/readme_tables.py DATASET [--seeds 10]`` prints one as Markdown.

Every row is the teacher, the plain student or one method over the same seeds; the paired t-test compares
a method with the plain student of the same architecture, seed by seed. Finished runs are not run again.
"""

from __future__ import annotations

import argparse

import workbench as wb
from workbench.analysis.statistics import paired_test, summarise

STUDENTS: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "GCN, 4 hidden units": (
        {"name": "gcn", "hidden_channels": 4},
        ("none", "kd", "fitnet", "at", "lsp", "gsp", "gcrd", "abkd", "kd+gcrd"),
    ),
    "MLP, 64 hidden units": ({"name": "mlp", "hidden_channels": 64}, ("none", "kd", "glnn")),
}


def accuracy(run: wb.Run, role: str) -> float:
    assert run.result is not None
    return 100 * float(run.result[role]["metrics"]["test"]["accuracy"])


def row(name: str, parameters: int, values: list[float], baseline: list[float] | None) -> str:
    summary = summarise(values)
    text = f"| {name} | {parameters:,} | {summary.mean:.1f} ± {summary.std or 0:.1f} |"
    if baseline is None:
        return text + " | |"
    test = paired_test(values, baseline)
    return text + f" {test.difference:+.1f} | {'–' if test.p is None else f'{test.p:.1g}'} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--root", default="runs")
    arguments = parser.parse_args()
    print(f"| {arguments.dataset} | parameters | test accuracy % | against the plain student | p |")
    print("|---|---|---|---|---|")
    told_teacher = False
    for student, (config, methods) in STUDENTS.items():
        plain: list[float] | None = None
        for method in methods:
            runs = [
                wb.distill(arguments.dataset, "gat", config, method, seed, device="cpu", root=arguments.root)
                for seed in range(arguments.seeds)
            ]
            sizes = runs[0].result
            assert sizes is not None
            if not told_teacher:
                values = [accuracy(run, "teacher") for run in runs]
                print(row("teacher: GAT, 8 × 8 heads", sizes["teacher"]["parameters"], values, None))
                told_teacher = True
            values = [accuracy(run, "student") for run in runs]
            name = f"student: {student}, alone" if method == "none" else f"– with {method}"
            print(row(name, sizes["student"]["parameters"], values, plain), flush=True)
            plain = plain or values


if __name__ == "__main__":
    main()
