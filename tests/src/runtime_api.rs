//! Runs a lambda binary as AWS does: as a child process with Lambda's environment that fetches its events
//! from the Runtime API, version 2018-06-01, served here.
//!
//! A [`Function`] handles one event at a time, like an execution environment.

mod child;
mod server;

use std::{
    error::Error,
    ffi::OsStr,
    fmt::{self, Display},
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::body::Bytes;
use infra::clock::Clock;
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    process::Command,
    sync::{Mutex as Turn, Notify, mpsc, oneshot, watch},
    task::JoinHandle,
};

/// The functions answer within seconds, even in a debug build on a busy machine; Lambda allows up to 15
/// minutes.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The reason why an invocation has no response.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FunctionError {
    /// The type given by the function, or one of Lambda: `Runtime.ExitError`, `Sandbox.Timedout`.
    #[serde(rename = "errorType", default)]
    pub error_type: String,
    #[serde(rename = "errorMessage", default)]
    pub message: String,
}

/// A running lambda binary. It is killed when this value is dropped.
pub struct Function {
    name: String,
    time_limit: Duration,
    clock: Clock,
    turn: Turn<mpsc::Sender<Invocation>>,
    shared: Arc<Shared>,
    tasks: [JoinHandle<()>; 2],
}

impl Function {
    /// Starts a binary with the environment variables of Lambda, overridden by `env`. Only the search path is
    /// inherited, so that a function does not depend on the environment of the tests. Needs a running tokio
    /// runtime.
    ///
    /// # Panics
    /// When the binary does not exist.
    #[must_use]
    pub fn start(binary: &Path, env: &[(&str, &str)]) -> Self {
        let name = binary.file_stem().and_then(OsStr::to_str).expect("a binary has a name").to_owned();
        let (asked, next) = mpsc::channel(1);
        let shared = Arc::new(Shared {
            next: Turn::new(next),
            answer: Mutex::default(),
            ended: watch::Sender::new(None),
            drained: watch::Sender::new(false),
            log: Mutex::default(),
            kill: Notify::new(),
        });
        let (api, address) = server::serve(Arc::clone(&shared));

        let mut child = Command::new(binary)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs([
                ("AWS_REGION", "us-east-1"),
                ("AWS_DEFAULT_REGION", "us-east-1"),
                ("TZ", ":UTC"),
                ("LANG", "en_US.UTF-8"),
            ])
            .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", &name),
                ("_HANDLER", "bootstrap"),
            ])
            .envs([("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")])
            .envs([("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"), ("AWS_LAMBDA_LOG_STREAM_NAME", "test")])
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"))
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|cause| panic!("{} does not start: {cause}", binary.display()));
        let logs = [
            tokio::spawn(child::keep(child.stdout.take().expect("it is piped"), Arc::clone(&shared))),
            tokio::spawn(child::keep(child.stderr.take().expect("it is piped"), Arc::clone(&shared))),
        ];
        let watched = tokio::spawn(child::watch_over(child, logs, Arc::clone(&shared)));

        Self {
            name,
            time_limit: TIME_LIMIT,
            clock: Clock::system(),
            turn: Turn::new(asked),
            shared,
            tasks: [api, watched],
        }
    }

    /// Sets the time limit of an invocation. The function gets it as its deadline.
    #[must_use]
    pub fn with_time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// Sends an event to the function and waits for the response.
    ///
    /// # Errors
    /// The error of the function, or the reason why it cannot respond: it failed to start, it ended, or it
    /// exceeded the time limit. Each further invocation then fails with the same reason.
    pub async fn invoke(&self, payload: Value) -> Result<Value, FunctionError> {
        let asked = self.turn.lock().await;
        let now = self.clock.now();
        let id = self.clock.id(now);
        let (answer, answered) = oneshot::channel();
        *locked(&self.shared.answer) = Some((id.to_string(), answer));
        let hex = id.simple().to_string();
        let invocation = Invocation {
            id: id.to_string(),
            deadline_ms: now
                .plus_millis(i64::try_from(self.time_limit.as_millis()).unwrap_or(i64::MAX))
                .millis(),
            arn: format!("arn:aws:lambda:us-east-1:000000000000:function:{}", self.name),
            trace: format!("Root=1-{}-{};Parent={};Sampled=0", &hex[..8], &hex[8..], &hex[16..]),
            payload: payload.to_string().into(),
        };
        let mut ended = self.shared.ended.subscribe();
        tokio::select! {
            // Checked in this order, because a function that answers and then ends has answered.
            biased;
            answer = async { asked.send(invocation).await.ok(); answered.await.ok() }, if !self.has_ended() => {
                answer.unwrap_or_else(|| Err(FunctionError::new("Runtime.Gone", "the Runtime API has ended")))
            }
            why = ended.wait_for(Option::is_some) => {
                Err(why.ok().and_then(|why| why.clone()).expect("the select waited for it"))
            }
            () = tokio::time::sleep(self.time_limit) => {
                // Killed, as by Lambda, so that the work does not go on during the next event.
                let why = FunctionError::new("Sandbox.Timedout", format_args!("no answer within {:?}", self.time_limit));
                self.shared.end(why.clone());
                self.shared.kill.notify_one();
                Err(why)
            }
        }
    }

    /// Returns the standard output and error so far. A line may arrive shortly after the answer; to assert
    /// the absence of a line use [`stop`](Self::stop).
    #[must_use]
    pub fn logs(&self) -> String {
        locked(&self.shared.log).clone()
    }

    /// Kills the function and returns its whole output.
    pub async fn stop(self) -> String {
        self.shared.kill.notify_one();
        let mut drained = self.shared.drained.subscribe();
        drained.wait_for(|drained| *drained).await.expect("its sender lives as long as the function");
        self.logs()
    }

    fn has_ended(&self) -> bool {
        self.shared.ended.borrow().is_some()
    }
}

/// Aborts the tasks, which own the child and kill it when dropped.
impl Drop for Function {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl FunctionError {
    fn new(error_type: &str, message: impl Display) -> Self {
        Self { error_type: error_type.to_owned(), message: message.to_string() }
    }

    /// Reads the error that the function posted, in any format.
    fn posted(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_else(|_| Self::new("Unknown", String::from_utf8_lossy(body)))
    }
}

impl Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type, self.message)
    }
}

impl Error for FunctionError {}

/// An event that the function has not fetched yet.
struct Invocation {
    id: String,
    deadline_ms: i64,
    arn: String,
    trace: String,
    payload: Bytes,
}

type Answer = oneshot::Sender<Result<Value, FunctionError>>;

/// State shared by the handlers of the API, the tasks that watch the child, and the [`Function`].
struct Shared {
    next: Turn<mpsc::Receiver<Invocation>>,
    /// The id of the running invocation and the receiver of its answer.
    answer: Mutex<Option<(String, Answer)>>,
    /// The reason why there will be no further answers. The first one is kept, because others are its
    /// consequences.
    ended: watch::Sender<Option<FunctionError>>,
    /// Whether the child has ended and its whole output is in the log.
    drained: watch::Sender<bool>,
    log: Mutex<String>,
    kill: Notify,
}

impl Shared {
    fn end(&self, why: FunctionError) {
        self.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            ended.get_or_insert(why);
            first
        });
    }

    /// Answers an invocation. Returns false if it is not the running one.
    fn answer(&self, id: &str, outcome: Result<Value, FunctionError>) -> bool {
        let waiting = locked(&self.answer).take_if(|(asked, _)| asked == id);
        // The caller may have stopped waiting, which is no error of the function.
        waiting.map(|(_, answer)| answer.send(outcome).ok()).is_some()
    }
}

/// Ignores poisoning: the guarded values are consistent after every statement.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
