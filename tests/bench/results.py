# SPDX-License-Identifier: MIT
"""What was measured, and the ratios that follow from it."""

import statistics
from dataclasses import dataclass, field


@dataclass
class Series:
    """Values of one contender at one work, one for each round."""

    figure: str
    work: str
    name: str
    unit: str
    x: float = 0.0
    values: list = field(default_factory=list)

    @property
    def median(self):
        return statistics.median(self.values)


@dataclass
class Goal:
    """watchq beside a peer: `bound` is what their ratio, the peer's value by watchq's, should be at
    least. For throughputs the other way round, so that more is always better. A goal without a bound
    is only shown."""

    figure: str
    work: str
    ours: str
    peer: str
    bound: float | None = None
    more_is_better: bool = False


class Results:
    """All series of a run, in the order in which they came."""

    def __init__(self):
        self._series = {}
        self.goals = []
        self.notes = []

    def add(self, figure, work, name, value, unit, x=0.0):
        key = (figure, work, name)
        if key not in self._series:
            self._series[key] = Series(figure, work, name, unit, x)
        self._series[key].values.append(value)

    def get(self, figure, work, name):
        return self._series.get((figure, work, name))

    def compare(self, *goal, **options):
        """Shows a ratio, where both sides were measured. Rounds are compared pair by pair: what
        disturbs one disturbs the other."""
        goal = Goal(*goal, **options)
        if goal not in self.goals:
            self.goals.append(goal)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    @property
    def series(self):
        return list(self._series.values())

    def figures(self):
        return list(dict.fromkeys(series.figure for series in self.series))

    def of_figure(self, figure):
        return [series for series in self.series if series.figure == figure]

    def ratios(self):
        """Yields (goal, ours, theirs, the rounds' ratios)."""
        for goal in self.goals:
            ours = self.get(goal.figure, goal.work, goal.ours)
            theirs = self.get(goal.figure, goal.work, goal.peer)
            if ours is None or theirs is None:
                continue
            pairs = zip(ours.values, theirs.values)
            ratios = [a / b if goal.more_is_better else b / a for a, b in pairs if a > 0 and b > 0]
            if ratios:
                yield goal, ours, theirs, ratios

    def to_json(self):
        return {
            "series": [vars(series) | {"median": series.median} for series in self.series],
            "ratios": [vars(goal) | {"median": statistics.median(ratios), "least": min(ratios),
                                     "most": max(ratios)}
                       for goal, _, _, ratios in self.ratios()],
            "notes": self.notes,
        }
