"""A CheckpointManager that keeps two of three checkpoints."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import tensorflow as tf

oracle.enter(__file__)

v = tf.Variable([1.0, 2.0])
manager = tf.train.CheckpointManager(tf.train.Checkpoint(v=v), ".", max_to_keep=2)
for _ in range(3):
    v.assign(v * 3)
    manager.save()
# The clock's share of the state file, made constant.
state = tf.train.get_checkpoint_state(".")
state.model_checkpoint_path, state.last_preserved_timestamp = "ckpt-3", 1700000000.5
state.all_model_checkpoint_paths[:] = ["ckpt-2", "ckpt-3"]
state.all_model_checkpoint_timestamps[:] = [1700000060.25, 1700000120.125]
pathlib.Path("checkpoint").write_text(str(state))
oracle.record_many(["ckpt-2", "ckpt-3"], latest_checkpoint=oracle.latest())
