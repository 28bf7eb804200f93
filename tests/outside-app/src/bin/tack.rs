use outside_app::Pong;
use tack_workbench::Functions;

fn main() -> std::process::ExitCode {
    tack_workbench::main(Functions {
        ingress: tack_aws::ingress::run::<Pong>,
        worker: tack_aws::worker::run::<Pong>,
        oauth: tack_aws::oauth::run::<Pong>,
        listing: tack_aws::listing::run::<Pong>,
    })
}
