//! The worker of the starter app, as a Lambda function.

fn main() -> std::process::ExitCode {
    tack_aws::worker::run::<tack_listeners::Starter>()
}
