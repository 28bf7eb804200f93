//! What a function is: its program, its variables, its limits; and the environment Lambda gives it.
//! Not here: starting it ([`super::process`]).
//! Invariant: a process sees what Lambda sets and the function's own variables, nothing of ours.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>

use super::calendar::UtcTime;
use crate::ACCOUNT;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The secret of every function's access key: nothing here checks signatures.
const SECRET_ACCESS_KEY: &str = "local-secret-access-key";
/// The session token of every function's access key.
const SESSION_TOKEN: &str = "local-session-token";
/// Lambda's search path without the directories of managed runtimes.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/opt/bin";

/// How to start a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program; an absolute path, since the process has Lambda's `PATH` and not ours.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

/// One function.
#[derive(Clone, Debug)]
pub struct FunctionConfig {
    /// Its name, as in its ARN.
    pub name: String,
    /// What to run.
    pub command: Command,
    /// The function's own variables.
    pub environment: BTreeMap<String, String>,
    /// Its access key id, by which the AWS endpoint knows who calls.
    pub access_key: String,
    /// Its memory as Lambda reports it to the process; not enforced.
    pub memory_mb: u32,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// How many processes there may be at once, apart from those that end; 10 is plenty on one machine.
    pub max_processes: usize,
    /// Its region.
    pub region: String,
}

/// A variable that Lambda reserves was among the function's own; real Lambda refuses such a function as well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("function {function}: Lambda reserves the variable {variable}")]
pub struct ReservedVariable {
    /// The function's name.
    pub function: String,
    /// The variable's name.
    pub variable: String,
}

impl FunctionConfig {
    /// The ARN that an invocation carries.
    pub fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:{ACCOUNT}:function:{}", self.region, self.name)
    }

    /// Refuses variables that Lambda reserves.
    pub(super) fn check(&self) -> Result<(), ReservedVariable> {
        let reserved =
            self.reserved(&self.command, &LogStream { name: String::new() }, SocketAddr::from(([127, 0, 0, 1], 0)));
        match self
            .environment
            .keys()
            .find(|name| reserved.contains_key(name.as_str()) || name.as_str() == "_X_AMZN_TRACE_ID")
        {
            Some(variable) => Err(ReservedVariable { function: self.name.clone(), variable: variable.clone() }),
            None => Ok(()),
        }
    }

    /// The whole environment of a process that finds its Runtime API at `runtime_api`.
    pub(super) fn environment(
        &self,
        command: &Command,
        log_stream: &LogStream,
        runtime_api: SocketAddr,
    ) -> BTreeMap<String, String> {
        // These may be changed by the function's own variables.
        let mut all = owned([("LANG", "en_US.UTF-8".into()), ("PATH", PATH.into())]);
        all.extend(self.environment.clone());
        all.extend(self.reserved(command, log_stream, runtime_api));
        all
    }

    /// Not among them: `AWS_EXECUTION_ENV` and `_X_AMZN_TRACE_ID`, which Lambda does not define for the `provided` runtimes.
    fn reserved(&self, command: &Command, log_stream: &LogStream, runtime_api: SocketAddr) -> BTreeMap<String, String> {
        let task_root =
            command.program.parent().map_or_else(|| "/var/task".into(), |folder| folder.to_string_lossy().into_owned());
        owned([
            ("AWS_ACCESS_KEY_ID", self.access_key.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.memory_mb.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", self.name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", self.name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.name.clone()),
            ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.into()),
            ("AWS_SESSION_TOKEN", SESSION_TOKEN.into()),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime".into()),
            ("LAMBDA_TASK_ROOT", task_root),
            ("TZ", ":UTC".into()),
            ("_HANDLER", "bootstrap".into()),
        ])
    }
}

/// The log stream of one process.
pub(super) struct LogStream {
    name: String,
}

impl LogStream {
    /// A new stream, dated as Lambda dates it: `2024/02/29/[$LATEST]` and 32 hex digits.
    pub(super) fn new(now_ms: u64) -> Self {
        let UtcTime { year, month, day, .. } = UtcTime::from_epoch_ms(now_ms);
        Self { name: format!("{year:04}/{month:02}/{day:02}/[$LATEST]{}", uuid::Uuid::new_v4().simple()) }
    }
}

fn owned<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> FunctionConfig {
        FunctionConfig {
            name: "worker".into(),
            command: Command { program: "/opt/build/worker".into(), args: Vec::new() },
            environment: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            access_key: "AKIALOCALWORKER".into(),
            memory_mb: 256,
            timeout: Duration::from_secs(5),
            max_processes: 10,
            region: "eu-central-1".into(),
        }
    }

    fn environment(config: &FunctionConfig) -> BTreeMap<String, String> {
        config.environment(
            &config.command,
            &LogStream::new(1_709_210_000_000),
            SocketAddr::from(([127, 0, 0, 1], 9001)),
        )
    }

    #[test]
    fn a_process_sees_what_lambda_documents_and_its_own_variables() {
        let environment = environment(&config(&[("STATE_TABLE", "state")]));
        for (name, value) in [
            ("AWS_LAMBDA_FUNCTION_NAME", "worker"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/worker"),
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_DEFAULT_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIALOCALWORKER"),
            ("LAMBDA_TASK_ROOT", "/opt/build"),
            ("_HANDLER", "bootstrap"),
            ("TZ", ":UTC"),
            ("LANG", "en_US.UTF-8"),
            ("STATE_TABLE", "state"),
        ] {
            assert_eq!(environment.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(environment["AWS_LAMBDA_LOG_STREAM_NAME"].starts_with("2024/02/29/[$LATEST]"));
        assert!(!environment.contains_key("AWS_EXECUTION_ENV"), "the provided runtimes have none");
    }

    #[test]
    fn path_and_language_may_be_changed_and_reserved_variables_may_not() {
        assert_eq!(environment(&config(&[("PATH", "/bin")]))["PATH"], "/bin");
        assert_eq!(config(&[("PATH", "/bin"), ("LANG", "C")]).check(), Ok(()));
        for name in ["AWS_REGION", "AWS_LAMBDA_RUNTIME_API", "_HANDLER", "TZ", "_X_AMZN_TRACE_ID"] {
            let expected = ReservedVariable { function: "worker".into(), variable: name.into() };
            assert_eq!(config(&[(name, "x")]).check(), Err(expected));
        }
    }

    #[test]
    fn the_arn_names_region_and_function() {
        assert_eq!(config(&[]).arn(), "arn:aws:lambda:eu-central-1:000000000000:function:worker");
    }
}
