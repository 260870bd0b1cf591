"""A small model whose gradients are known: what every run of training/ is made of.

The gradients of a step are drawn from a seed rather than computed from a loss, so that each weight has its own size and the
truth is exact: what the optimizer was given is what is recorded.
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import oracle

import numpy as np

# Name, shape, size of the gradient, rows that never get one.
WEIGHTS = [
    ("emb", (6, 4), 0.05, (1, 4)),
    ("hidden_kernel", (4, 5), 0.3, ()),
    ("hidden_bias", (5,), 1.0, ()),
    ("out_kernel", (5, 2), 0.02, ()),
]
SAVES = (20, 40, 45)


class Run:
    """Draws gradients, and keeps of each interval between saves what they were."""

    def __init__(self, seed):
        self.random = np.random.RandomState(seed)
        self.step = 0
        self.seen = []
        self.truth = []

    def initial(self):
        return [self.random.normal(0, 0.5, shape).astype(np.float32) for _, shape, _, _ in WEIGHTS]

    def gradients(self):
        self.step += 1
        drawn = []
        for name, shape, size, never in WEIGHTS:
            g = self.random.normal(size * 0.3, size, shape).astype(np.float32)
            for row in never:
                g[row] = 0
            drawn.append(g)
        self.seen.append(drawn)
        return drawn

    def save(self, prefix, values, **more):
        """Notes the interval that ends with this checkpoint."""
        squares = {
            name: [float(np.mean(np.square(step[n], dtype=np.float64))) for step in self.seen]
            for n, (name, *_rest) in enumerate(WEIGHTS)
        }
        self.truth.append({
            "prefix": prefix,
            "updates": len(self.seen),
            # Mean squares of the gradients, step by step: any weighing of them can be made of these.
            "mean_squares": squares,
            "weights": {name: np.asarray(value, np.float64).ravel().tolist() for (name, *_), value in zip(WEIGHTS, values)},
            **more,
        })
        self.seen = []


def write(runs):
    import tensorflow as tf

    with open("expected.json", "w") as file:
        json.dump({"tensorflow": tf.__version__, "runs": runs}, file, indent=None, separators=(",", ":"))
        file.write("\n")
