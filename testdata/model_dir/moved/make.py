"""A directory that was moved: the state file names absolute paths elsewhere, the files lie beside it."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

oracle.enter(__file__)

oracle.tiny("model.ckpt-100", 1.0, 100)
oracle.tiny("model.ckpt-200", 2.0, 200)
pathlib.Path("checkpoint").write_text('''model_checkpoint_path: "/data/old/run/model.ckpt-200"
all_model_checkpoint_paths: "/data/old/run/model.ckpt-100"
all_model_checkpoint_paths: "/data/old/run/model.ckpt-200"
''')
oracle.record_many(["model.ckpt-100", "model.ckpt-200"], latest_checkpoint=oracle.latest())
