"""An index of several table blocks: 520 scalars with long names that share little."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np

oracle.enter(__file__)

rng = np.random.default_rng(3)
LETTERS = "abcdefghijklmnopqrstuvwxyz/_0123456789"
names = ["".join(LETTERS[i] for i in rng.integers(0, len(LETTERS), 600)) for _ in range(520)]
oracle.save("many", {name: np.float32(i) for i, name in enumerate(names)})
oracle.record("many")
