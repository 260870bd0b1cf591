//! Nothing: what this depends on is built with the same features in every build.
