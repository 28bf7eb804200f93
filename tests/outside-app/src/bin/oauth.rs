fn main() -> std::process::ExitCode {
    tack_aws::oauth::run::<outside_app::Pong>()
}
