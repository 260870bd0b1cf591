"""A checkpoint whose root object is itself a variable."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import tensorflow as tf

oracle.enter(__file__)

tf.train.Checkpoint(tf.Variable(2.5)).write("root")
oracle.record("root")
