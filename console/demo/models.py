"""The demo's models: really trained, really scoring, on the data sets that scikit-learn ships.

The roles are the stories', the columns are the data sets': scikit-learn ships no insurer's or lender's data. Each
model is trained on one half of its data; the other half, drawn again and again with 2 % measurement noise, is whom
it serves. Seeded, so that every run trains and scores the same. Needs scikit-learn (extra `local`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NOISE = 0.02
MEAN_RADIUS = 0  # the column of the breast cancer data that changes its unit


@dataclass(frozen=True, slots=True)
class Served:
    """A trained model and the rows it serves. ``score`` maps rows of shape (n, features) to scores in [0, 1]."""

    rows: Floats
    score: Callable[[Floats], Floats]

    def draw(self, random: np.random.Generator, count: int) -> Floats:
        """Rows drawn with replacement, each value with relative measurement noise."""
        rows = self.rows[random.integers(0, len(self.rows), count)]
        noisy: Floats = rows * (1 + NOISE * random.standard_normal(rows.shape))
        return noisy


@dataclass(frozen=True, slots=True)
class Models:
    """Every model of the estate; ``swapped`` is what the assistant's provider serves later under the same name."""

    eligibility: Served
    credit: Served
    renewals: Served
    assistant: Served
    swapped: Served


def train() -> Models:
    """Train all of them; takes about a second after scikit-learn's import."""
    from sklearn import datasets
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    diabetes = datasets.load_diabetes(scaled=False)
    cancer = datasets.load_breast_cancer()
    wine = datasets.load_wine()
    digits = datasets.load_digits()
    progresses = (diabetes.target > np.median(diabetes.target)).astype(int)
    forest = RandomForestClassifier(n_estimators=20, max_depth=6, random_state=0)
    return Models(
        eligibility=_fit(diabetes.data, progresses, LogisticRegression(C=0.3), _second_class),
        credit=_fit(cancer.data[:, :10], cancer.target, LogisticRegression(C=0.02), _second_class),
        renewals=_fit(wine.data[:, :6], (wine.target == 0).astype(int), LogisticRegression(C=0.1), _second_class),
        assistant=_fit(digits.data, digits.target, LogisticRegression(C=0.02, max_iter=300), _best_class),
        swapped=_fit(digits.data, digits.target, forest, _best_class),
    )


def in_centimetres(rows: Floats) -> Floats:
    """Credit rows as the new supplier sends them: the first column in centimetres, no longer in millimetres."""
    changed = rows.copy()
    changed[:, MEAN_RADIUS] /= 10
    return changed


def _fit(data: Floats, target: Any, classifier: Any, reading: Callable[[Any], Floats]) -> Served:
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    learn, serve, labels, _ = train_test_split(data, target, test_size=0.5, random_state=0, stratify=target)
    model = make_pipeline(StandardScaler(), classifier).fit(learn, labels)
    return Served(np.asarray(serve, dtype=np.float64), lambda rows: reading(model.predict_proba(rows)))


def _second_class(probabilities: Any) -> Floats:
    return np.asarray(probabilities[:, 1], dtype=np.float64)


def _best_class(probabilities: Any) -> Floats:
    # How sure the model is of its answer: the quality signal of the assistant.
    return np.asarray(probabilities.max(axis=1), dtype=np.float64)
