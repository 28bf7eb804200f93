//! The OAuth flow of the starter app, as a Lambda function.

fn main() -> std::process::ExitCode {
    tack_aws::oauth::run::<tack_listeners::Starter>()
}
