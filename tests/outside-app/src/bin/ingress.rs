fn main() -> std::process::ExitCode {
    tack_aws::ingress::run::<outside_app::Pong>()
}
