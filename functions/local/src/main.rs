//! `tack`: the starter app on this machine, with a simulated Slack and the embedded AWS around it.

use tack_listeners::Starter;
use tack_workbench::Functions;

fn main() -> std::process::ExitCode {
    tack_workbench::main(Functions {
        ingress: tack_aws::ingress::run::<Starter>,
        worker: tack_aws::worker::run::<Starter>,
        oauth: tack_aws::oauth::run::<Starter>,
        listing: tack_aws::listing::run::<Starter>,
    })
}
