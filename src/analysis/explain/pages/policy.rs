//! Pages about a project's policy, `ckpt.toml`.

use super::Page;
use crate::analysis::Code;

/// What shows the lines of the policy.
const SHOW: &str = "ckpt validate --show-config   what ckpt.toml says, from which lines, and what has expired";

/// What `TensorFlow` does with expectations of others.
const NOTHING: &str = "Nothing: it knows no policy.";

pub(super) const PAGES: &[Page] = &[
    Page {
        code: Code::ExpectPresent,
        found: "`present` of ckpt.toml is looked up among the names in the index; so are the `tensors` that a budget or a list of dtypes is about.",
        tensorflow: "Nothing, until something restores the tensor: \"Key … not found in checkpoint\".",
        causes: &[
            "The program changed, and saves the variable under another name or not at all.",
            "A tensor was left out by a conversion, or lost with a damaged index.",
            "The selector in ckpt.toml is misspelt.",
        ],
        next: &["ckpt list PREFIX '**/*LASTPART*'   names that are alike", SHOW],
    },
    Page {
        code: Code::ExpectAbsent,
        found: "`absent` of ckpt.toml is looked up among the names in the index.",
        tensorflow: NOTHING,
        causes: &["Optimizer state in what is to be delivered.", "A layer, or a scope, that was to be removed."],
        next: &[
            "ckpt convert PREFIX -o OUT --weights-only   a copy without optimizer state",
            "ckpt convert PREFIX -o OUT '!SELECTOR'   a copy without these tensors",
            SHOW,
        ],
    },
    Page {
        code: Code::ExpectFrozen,
        found: "`frozen` tensors of ckpt.toml are compared with those of the base: by checksum, and byte by byte where there is none.",
        tensorflow: NOTHING,
        causes: &[
            "The layer was trained: `trainable` was not turned off, or was turned off after the optimizer had its list of variables.",
            "Statistics of a normalization moved, which training does to frozen layers too.",
            "It was trained from another base than the one that ckpt.toml names.",
        ],
        next: &["ckpt diff BASE PREFIX SELECTOR   what changed, and how much", SHOW],
    },
    Page {
        code: Code::ExpectChanged,
        found: "`changed` tensors of ckpt.toml are compared with those of the base: by checksum, and byte by byte where there is none.",
        tensorflow: NOTHING,
        causes: &[
            "Nothing trains the variable: it is in no list of the optimizer, or no gradient reaches it.",
            "The base itself was delivered, or training ended before its first step.",
        ],
        next: &["ckpt diff BASE PREFIX   what changed at all", SHOW],
    },
    Page {
        code: Code::ExpectUndecided,
        found: "The base of frozen or changed tensors cannot be opened, or some of them cannot be read, or have no checksum where no data is read.",
        tensorflow: NOTHING,
        causes: &[
            "`base` leads somewhere else: it begins at the folder of ckpt.toml.",
            "The base is damaged, or was not fetched (Git LFS).",
            "`--quick`, and a format without checksums.",
        ],
        next: &["ckpt validate BASE   whether the base is whole", SHOW],
    },
    Page {
        code: Code::ExpectDType,
        found: "`dtypes` of ckpt.toml are held against the dtype of every tensor, or of those that `tensors` selects.",
        tensorflow: NOTHING,
        causes: &[
            "A tensor that should have been converted, or should not.",
            "A counter or a string beside the weights: name its dtype too, or select the weights.",
        ],
        next: &[
            "ckpt list PREFIX dtype:DTYPE   which they are",
            "ckpt convert PREFIX -o OUT --cast DTYPE=SELECTOR   a copy with the right ones",
            SHOW,
        ],
    },
    Page {
        code: Code::ExpectBudget,
        found: "The elements or the bytes of all tensors, or of those that `tensors` selects, are added up and compared with `max-parameters` or `max-bytes`.",
        tensorflow: NOTHING,
        causes: &["The model grew.", "Optimizer state is counted too: `tensors = \"role:weight\"` is the model alone."],
        next: &["ckpt inspect PREFIX   what dominates", "ckpt list PREFIX --sort size --top 20   the largest", SHOW],
    },
    Page {
        code: Code::PolicyExpired,
        found: "The date of a rule in ckpt.toml is compared with today's, in UTC; it holds on its last day.",
        tensorflow: NOTHING,
        causes: &["Something was to be mended by then."],
        next: &[
            "Mend what the rule was for, and take it out.",
            "If it must hold longer, give it another date and say why.",
            SHOW,
        ],
    },
];
