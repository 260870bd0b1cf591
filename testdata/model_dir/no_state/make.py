"""Checkpoints without a state file; the highest step is not the last by name."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

oracle.enter(__file__)

oracle.tiny("model.ckpt-90", 1.0, 90)
oracle.tiny("model.ckpt-1000", 2.0, 1000)
oracle.record_many(["model.ckpt-90", "model.ckpt-1000"], latest_checkpoint=oracle.latest())
