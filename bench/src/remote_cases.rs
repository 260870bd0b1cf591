//! Cases of what is not on the disk of this machine, and of work that several processes share.

use std::path::PathBuf;

use anyhow::Result;
use ckpt_synth::dtype;

use crate::cases::{Case, Programs};
use crate::inputs::{Inputs, shards};
use crate::measure::{Candidate, shell, text};
use crate::web_server::Server;

/// As many requests as `ckpt` has under way.
const CONNECTIONS: usize = 16;

/// At least 0.8 of what a plain download does.
const DOWNLOAD: f64 = 1.25;

impl Programs {
    /// A web server on this machine, beside a plain download of the same bytes by as many connections.
    pub(crate) fn remote(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let (a, b) = (inputs.of_type(dtype::FLOAT, 0)?, inputs.of_type(dtype::FLOAT, 1)?);
        let case = |title: &str, prefixes: &[&PathBuf], candidates: &dyn Fn(&[String]) -> Vec<Candidate>| {
            let (mut of, mut data, mut server) = (Vec::new(), Vec::new(), None);
            for prefix in prefixes {
                let (dir, name) = inputs.served(prefix)?;
                if server.is_none() {
                    server = Some(Server::start(&self.own, dir)?);
                }
                let url = server.as_ref().map(|server| server.url.clone()).unwrap_or_default();
                of.push(format!("{url}/{name}"));
                for shard in shards(prefix)? {
                    data.push(PathBuf::from(format!("{url}/{}", inputs.served(&shard)?.1)));
                }
            }
            let mut all = vec![self.floor_of("download", &data, CONNECTIONS)];
            all.extend(candidates(&of));
            Ok(Case { title: title.to_owned(), candidates: all, times: 1, server, ..Case::default() })
        };
        let one = case("1 GiB from a web server", &[&a], &|of| {
            vec![
                self.of("list", &["list", &of[0]], None),
                self.threads(self.of("validate", &["validate", &of[0]], Some(DOWNLOAD)), self.threads),
                self.threads(self.of("stats", &["stats", &of[0]], Some(DOWNLOAD)), self.threads),
            ]
        });
        let two = case("1 GiB twice from a web server", &[&a, &b], &|of| {
            let diff = Candidate { status: 1, ..self.of("diff", &["diff", &of[0], &of[1]], Some(DOWNLOAD)) };
            vec![self.threads(diff, self.threads)]
        });
        [one, two].into_iter().collect()
    }

    /// Two processes that share a tensor of 2 GiB, beside one: each with one thread.
    pub(crate) fn parts(&self, inputs: &Inputs) -> Result<Vec<Case>> {
        let path = text(&inputs.single()?);
        let ckpt = self.ckpt.display();
        let of = |command: &str| {
            let part = |n: u32| format!("{ckpt} {command} {path} --part {n}/2 --format part --threads 1 >/dev/null");
            let line = format!("{} & {} && wait $!", part(1), part(2));
            vec![
                self.threads(self.of(&format!("{command}, one process"), &[command, &path], None), 1),
                shell(&format!("{command}, two processes"), line, Some(0.6)),
            ]
        };
        let case = |command: &str| Case {
            title: format!("{command} in parts, one tensor of 2 GiB"),
            candidates: of(command),
            times: 1,
            ..Case::default()
        };
        Ok(["validate", "stats"].map(case).into())
    }
}
