fn main() -> std::process::ExitCode {
    tack_aws::worker::run::<outside_app::Pong>()
}
