"""A state file that names a checkpoint which is gone, while others lie there."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

oracle.enter(__file__)

oracle.tiny("ckpt-1", 1.0)
oracle.tiny("ckpt-2", 2.0)
pathlib.Path("checkpoint").write_text('''model_checkpoint_path: "ckpt-3"
all_model_checkpoint_paths: "ckpt-2"
all_model_checkpoint_paths: "ckpt-3"
''')
oracle.record_many(["ckpt-1", "ckpt-2"], latest_checkpoint=oracle.latest())
