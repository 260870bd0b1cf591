//! Writes the seeds of every target to `fuzz/seeds/<target>/`.

fn main() -> std::io::Result<()> {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(root) = here.parent() else { return Ok(()) };
    let files = ckpt_fuzz::Files::of(root);
    for (target, _) in ckpt_fuzz::TARGETS {
        let dir = here.join("seeds").join(target);
        std::fs::create_dir_all(&dir)?;
        for (n, seed) in ckpt_fuzz::seeds(target, &files).into_iter().enumerate() {
            std::fs::write(dir.join(format!("{n:04}")), seed)?;
        }
    }
    Ok(())
}
