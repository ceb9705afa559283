//! Runs the `waitlist` server as a process on a data directory, and calls it over HTTP.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use aws_config::SdkConfig;
use infra::{Clock, token::TokenKey};
use schema::UserId;
use serde_json::Value;

use crate::{
    binaries::built,
    stage::{Answer, Stage},
};

/// The longest time from start to listening.
const START_MAX: Duration = Duration::from_secs(30);
/// The longest time from a signal to the end.
const STOP_MAX: Duration = Duration::from_secs(30);
/// The longest time of any other command.
const RUN_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// Variables that make the server send mails and texts. A developer's values are removed unless a test sets
/// them.
pub const CARRIERS: [&str; 2] = ["AWS_ENDPOINT_URL_SESV2", "AWS_ENDPOINT_URL_SNS"];

/// A running server. Dropping it kills it.
pub struct Server {
    child: Child,
    /// HTTP address of the API.
    pub url: String,
    directory: PathBuf,
    http: reqwest::Client,
}

impl Server {
    /// Starts a server on a data directory with these environment variables, and waits until it listens.
    /// Standard output and error are appended to `stdout` and `stderr` in that directory.
    pub async fn start(directory: &Path, env: &[(&str, &str)]) -> Self {
        Self::start_with(directory, &[], env).await
    }

    /// Like [`Server::start`], with further arguments.
    pub async fn start_with(directory: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
        Self::start_logging_to(append(directory, "stderr").into(), directory, args, env).await
    }

    /// Like [`Server::start_with`], with another standard error.
    pub async fn start_logging_to(
        stderr: Stdio,
        directory: &Path,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Self {
        let child = spawn(directory, args, env, stderr);
        let mut server =
            Self { child, url: String::new(), directory: directory.to_owned(), http: reqwest::Client::new() };
        let pid = server.child.id();
        let listening = async {
            loop {
                if let Some(url) = announced(directory, pid) {
                    return url;
                }
                if let Some(status) = server.child.try_wait().unwrap() {
                    panic!("the server ended with {status} before it listened:\n{}", logs(directory));
                }
                tokio::time::sleep(POLL).await;
            }
        };
        server.url = tokio::time::timeout(START_MAX, listening).await.expect("the server listens in time");
        server
    }

    /// Sends a request, with a bearer token if there is one. A broken connection is an error.
    pub async fn send(
        &self,
        token: Option<&str>,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?;
        let answer = Answer::read(method, status, headers, &bytes);
        answer.assert_declared(method, path);
        Ok(answer)
    }

    /// Signs a token for an account with the server's key file.
    #[must_use]
    pub fn token(&self, owner: UserId) -> String {
        let key = TokenKey::load_or_create(&self.directory.join("keys")).unwrap();
        key.mint(owner, Clock::system().now(), 3_600).unwrap()
    }

    /// Kills the process without warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until the process ends by itself, as at a fault point.
    pub async fn ended(&mut self) {
        let ended = async {
            while self.child.try_wait().unwrap().is_none() {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(STOP_MAX, ended).await.expect("the server ends");
    }

    /// Sends SIGINT, as Ctrl-C does, and waits for the end. Returns the exit code.
    pub async fn interrupt(mut self) -> Option<i32> {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        let ended = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status.code();
                }
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(STOP_MAX, ended).await.expect("the server ends after SIGINT")
    }

    /// Returns the resident memory in KiB on Linux, and `None` elsewhere.
    #[must_use]
    pub fn resident_kib(&self) -> Option<u64> {
        self.memory_kib("VmRSS:")
    }

    /// Like [`Server::resident_kib`], the most since the start.
    #[must_use]
    pub fn peak_resident_kib(&self) -> Option<u64> {
        self.memory_kib("VmHWM:")
    }

    /// Returns the id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn memory_kib(&self, name: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// Returns the output of all servers started on this directory.
    #[must_use]
    pub fn logs(&self) -> String {
        logs(&self.directory)
    }
}

/// Returns an SDK configuration for the embedded engine of the server that runs on a data directory.
pub async fn engine(directory: &Path) -> SdkConfig {
    let text = std::fs::read_to_string(directory.join("server.json")).unwrap();
    let running: Value = serde_json::from_str(&text).unwrap();
    let of = |field: &str| running[field].as_str().unwrap().to_owned();
    infra::aws::local(&of("engine"), &of("engine_access_key")).await
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The result of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs a command of the binary on a data directory, with these environment variables.
pub async fn run(directory: &Path, args: &[&str], env: &[(&str, &str)]) -> Ran {
    run_within(RUN_MAX, directory, args, env).await
}

/// Like [`run`], for commands that may take longer.
pub async fn run_within(most: Duration, directory: &Path, args: &[&str], env: &[(&str, &str)]) -> Ran {
    ended(most, tokio::process::Command::new(built("waitlist")), directory, args, env).await
}

/// Like [`run`], by a program that starts the binary: its name and first arguments.
pub async fn run_through(through: &[&str], directory: &Path, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let mut program = tokio::process::Command::new(through[0]);
    program.args(&through[1..]);
    ended(RUN_MAX, program, directory, args, env).await
}

async fn ended(
    most: Duration,
    mut command: tokio::process::Command,
    directory: &Path,
    args: &[&str],
    env: &[(&str, &str)],
) -> Ran {
    for carrier in CARRIERS {
        command.env_remove(carrier);
    }
    command
        .args(args)
        .arg("--data-dir")
        .arg(directory)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let ran = tokio::time::timeout(most, command.output()).await.expect("the command ends in time").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: ran.status.code(), out: text(ran.stdout), err: text(ran.stderr) }
}

/// Runs a command with `--aws` on the tables and keys of a stage, with further variables. It must not write into its
/// data directory.
pub async fn run_on_aws(stage: &Stage, args: &[&str], more: &[(&str, &str)]) -> Ran {
    let (endpoint, keys) = (stage.endpoint(), stage.keys.display().to_string());
    let env = [
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", &stage.access_key),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("WAITLIST_PREFIX", &stage.prefix),
        ("WAITLIST_KEYS_DIR", &keys),
    ];
    let nowhere = tempfile::tempdir().unwrap();
    let ran = run(nowhere.path(), &[args, &["--aws"]].concat(), &[&env, more].concat()).await;
    assert_eq!(
        std::fs::read_dir(nowhere.path()).unwrap().count(),
        0,
        "{args:?} wrote into its data directory"
    );
    ran
}

fn append(directory: &Path, name: &str) -> File {
    File::options().create(true).append(true).open(directory.join(name)).unwrap()
}

fn spawn(directory: &Path, args: &[&str], env: &[(&str, &str)], stderr: Stdio) -> Child {
    let mut command = Command::new(built("waitlist"));
    for carrier in CARRIERS {
        command.env_remove(carrier);
    }
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory)
        .args(args)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .stdout(append(directory, "stdout"))
        .stderr(stderr)
        .spawn()
        .unwrap()
}

/// Returns the address in `server.json`, once this process has written it.
fn announced(directory: &Path, pid: u32) -> Option<String> {
    let text = std::fs::read_to_string(directory.join("server.json")).ok()?;
    let running: Value = serde_json::from_str(&text).ok()?;
    (running["pid"] == pid).then(|| running["http"].as_str().unwrap().to_owned())
}

fn logs(directory: &Path) -> String {
    ["stdout", "stderr"]
        .map(|name| std::fs::read_to_string(directory.join(name)).unwrap_or_default())
        .concat()
}
