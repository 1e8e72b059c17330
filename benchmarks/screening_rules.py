"""How often each screening rule, at its defaults, fails raters whose carelessness is known, and raters who are honest.

Prints the tables that docs/SCREENING.md holds, in per cent with 95 % intervals (Clopper and Pearson).
"""

import sys
from collections.abc import Iterable, Mapping

import numpy as np
from scipy import stats

from modeling.screening.answers import FAILED, UNCHECKED
from modeling.screening.rules import RULES, judge
from modeling.synthetic import careless

HONEST_EACH, CARELESS_EACH = 2_000, 400
STUDIES = 5
SEED = 20_261_128
# Rules that count for use by default, taken together.
TOGETHER = "all for use"
HONEST_KINDS = (careless.HONEST, careless.NOISY, careless.OFFSET)

# By rule and kind: how many failed, and how many there were.
Table = Mapping[str, Mapping[str, tuple[int, int]]]


def measure(*, honest: int = HONEST_EACH, each: int = CARELESS_EACH, studies: int = STUDIES, seed: int = SEED) -> Table:
    """Simulates `studies` studies, half of whose raters are honest."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for number in range(studies):
        kinds = [careless.HONEST] * (honest // studies)
        kinds += [kind for kind in careless.KINDS[1:] for _ in range(each // studies)]
        for rule, by_kind in _study(kinds, seed + number).items():
            for kind, (hits, n) in by_kind.items():
                before = found.setdefault(rule, {}).get(kind, (0, 0))
                found[rule][kind] = before[0] + hits, before[1] + n
    return found


def _study(kinds: list[str], seed: int) -> dict[str, dict[str, tuple[int, int]]]:
    world = careless.simulate(kinds, seed=seed)
    named = np.array(world.kind)
    outcomes = {name: judge(world.answers, rule, rule.default).outcome for name, rule in RULES.items()}
    fails = {name: outcome == FAILED for name, outcome in outcomes.items() if (outcome != UNCHECKED).any()}
    fails[TOGETHER] = np.any([fails[name] for name, rule in RULES.items() if rule.for_use and name in fails], axis=0)
    return {
        rule: {kind: (int(failed[named == kind].sum()), int((named == kind).sum())) for kind in careless.KINDS}
        for rule, failed in fails.items()
    }


def markdown(table: Table) -> str:
    """Sensitivity: how many careless raters of each kind fail. Specificity: how many honest ones do not."""
    careless_kinds = [kind for kind in careless.KINDS if kind not in HONEST_KINDS]
    sensitivity = [(kind, [table[rule][kind] for rule in table]) for kind in careless_kinds]
    spared = [(kind, [(n - hits, n) for hits, n in (table[rule][kind] for rule in table)]) for kind in HONEST_KINDS]
    return "\n\n".join([_table("Sensitivity, %", table, sensitivity), _table("Specificity, %", table, spared)])


def _table(head: str, rules: Iterable[str], rows: Iterable[tuple[str, list[tuple[int, int]]]]) -> str:
    names = list(rules)
    lines = [f"| {head} | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    lines += [f"| {kind} | " + " | ".join(_cell(*counts) for counts in cells) + " |" for kind, cells in rows]
    return "\n".join(lines)


def _cell(hits: int, n: int) -> str:
    interval = stats.binomtest(hits, n).proportion_ci(method="exact")
    low, high = (round(100 * end, 1) for end in interval)
    return f"{round(100 * hits / n, 1):g} ({low:g}–{high:g})"


def main() -> None:
    table = measure()
    counts = {kind: table[TOGETHER][kind][1] for kind in careless.KINDS}
    sys.stdout.write(f"{markdown(table)}\n\n")
    sys.stdout.write(", ".join(f"{kind}: {n:,}" for kind, n in counts.items()) + " raters\n")


if __name__ == "__main__":
    main()
