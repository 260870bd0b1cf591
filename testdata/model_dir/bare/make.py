"""A prefix that ends in a slash: files named .index and .data-00000-of-00001."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

oracle.enter(__file__)

oracle.save("./", {"w": oracle.np.arange(6, dtype=oracle.np.float32).reshape(2, 3)})
oracle.record("./", latest_checkpoint=oracle.latest())
