//! Pages about what training did: `ckpt log --training`.

use super::Page;
use crate::analysis::Code;

const LOG: &str = "ckpt log DIR --training   the optimizer's own count beside the step, checkpoint after checkpoint";
const LAYERS: &str = "ckpt log DIR --training --layers   every weight: gradient, update, rows never trained";

pub(super) const PAGES: &[Page] = &[
    Page {
        code: Code::OptimizerReset,
        found: "The optimizer's own count of updates (powers of beta, `iterations`, by their checksums in the index) is held against the step, or all of its slots are zero and were not.",
        tensorflow: "Nothing: a restore that leaves the optimizer out is allowed, and the first updates are then made with empty slots.",
        causes: &[
            "A run was resumed with the weights only: `load_weights`, or initial values from a checkpoint.",
            "The optimizer was made before its slots existed, or with another name, so that nothing of it was restored.",
            "The model was compiled again, which makes a new optimizer.",
        ],
        next: &[LOG, "ckpt validate PREFIX --against MODEL   whether the optimizer would be restored too"],
    },
    Page {
        code: Code::StepWentBack,
        found: "The step, or the only count that there is, is lower than in the checkpoint before, in the order of their numbers or of the state file.",
        tensorflow: "Nothing.",
        causes: &[
            "A run was resumed from an earlier checkpoint, while the saves are counted on.",
            "Two runs write into one directory.",
        ],
        next: &[LOG, "ckpt tree DIR   which checkpoint continues which"],
    },
    Page {
        code: Code::NothingTrained,
        found: "Every weight has the checksum that it has in the checkpoint before; statistics of normalizations and averages do not count.",
        tensorflow: "Nothing.",
        causes: &[
            "The learning rate is 0, or so small that the weights, as float32 or bfloat16, do not change by it.",
            "The variables that are trained are not those that are saved: another model, another copy.",
            "Everything is frozen, or no gradient reaches the variables that the optimizer has.",
        ],
        next: &[LOG, "ckpt diff A B   what changed at all"],
    },
    Page {
        code: Code::GradientVanished,
        found: "The slots of two checkpoints tell the root mean square of the gradient in between: it is 0, or a millionth of the largest, or a ten thousandth of what it was, for one weight and not for all.",
        tensorflow: "Nothing.",
        causes: &[
            "Units that are dead: ReLU whose inputs are negative, a saturated sigmoid.",
            "Too many layers without a shorter way around them, or weights that began too small.",
            "The weight is in the optimizer's list, and nothing of the loss depends on it.",
        ],
        next: &[LAYERS, "ckpt stats PREFIX --per-channel   channels that are zero"],
    },
    Page {
        code: Code::GradientExploded,
        found: "The slots of two checkpoints tell the root mean square of the gradient in between: it is not finite, or a hundred times what it was before for this weight.",
        tensorflow: "Nothing, until a weight is NaN.",
        causes: &[
            "The learning rate is too high, or warms up too fast.",
            "A batch of other data: labels out of range, numbers that are not normalized.",
            "Recurrent or deep layers without clipping of gradients.",
        ],
        next: &[LAYERS, "ckpt log DIR --finite   the first checkpoint with NaN or infinity"],
    },
];
