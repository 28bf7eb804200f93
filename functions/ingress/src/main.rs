//! The ingress of the starter app, as a Lambda function.

fn main() -> std::process::ExitCode {
    tack_aws::ingress::run::<tack_listeners::Starter>()
}
