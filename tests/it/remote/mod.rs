//! Object stores and web servers, on loopback: a server that counts what it is asked and does wrong what a test wants.

mod faults;
mod quick;
mod reading;
mod server;

use std::path::Path;
use std::process::{Command, Output};

use server::Server;

/// The command, with nothing in its environment but where the stores are.
fn command(server: &Server, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    command.args(args).env_clear().env("HOME", "/nowhere").env("NO_PROXY", "*");
    command.env("AWS_ENDPOINT_URL", server.url()).env("AWS_SKIP_SIGNATURE", "true");
    command.env("STORAGE_EMULATOR_HOST", server.host());
    command.env("AZURE_STORAGE_ACCOUNT_NAME", "account").env("AZURE_SKIP_SIGNATURE", "true");
    command
}

fn run(server: &Server, args: &[&str]) -> Output {
    command(server, args).output().unwrap()
}

/// What a command says on standard output, and on standard error.
fn says(server: &Server, args: &[&str]) -> (i32, String, String) {
    told(&run(server, args))
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A server with all fixtures below `bucket/data`.
fn with_fixtures() -> Server {
    let server = Server::start();
    server.put_all("bucket/data", &super::support::testdata());
    server
}

/// The addresses of the fixtures, by every protocol that the server speaks.
fn roots(server: &Server) -> [String; 3] {
    ["gs://bucket/data".to_owned(), "s3://bucket/data".to_owned(), format!("{}/bucket/data", server.url())]
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}
