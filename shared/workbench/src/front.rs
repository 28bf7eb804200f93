//! The page at `/` and `/console`: plain text with the addresses and the lines to type. The simulated Slack is beside it.

use axum::Router;
use axum::routing::get;

/// What a person needs to know.
pub(crate) struct Addresses {
    pub(crate) workbench: String,
    pub(crate) app: String,
    pub(crate) aws: String,
}

impl Addresses {
    pub(crate) fn page(&self) -> String {
        let Self { workbench, app, aws } = self;
        format!(
            "Tack: a simulated Slack with your app in it\n\
             \n\
             Say hi in #playground:\n\
             \n\
             curl -s {workbench}/sim/act -H 'content-type: application/json' \\\n\
             \x20 -d '{{\"as\": \"Ada\", \"act\": \"say\", \"channel\": \"playground\", \"text\": \"hi\"}}'\n\
             curl -s '{workbench}/sim/messages?channel=playground'\n\
             \n\
             Order something: the command, its modal with errors, then a good one:\n\
             \n\
             curl -s {workbench}/sim/act -H 'content-type: application/json' \\\n\
             \x20 -d '{{\"as\": \"Ada\", \"act\": \"command\", \"channel\": \"playground\", \"text\": \"/order 3\"}}'\n\
             curl -s '{workbench}/sim/views?user=Ada'\n\
             curl -s {workbench}/sim/act -H 'content-type: application/json' \\\n\
             \x20 -d '{{\"as\": \"Ada\", \"act\": \"suggest\", \"action_id\": \"order_item\", \"value\": \"tea\"}}'\n\
             curl -s {workbench}/sim/act -H 'content-type: application/json' \\\n\
             \x20 -d '{{\"as\": \"Ada\", \"act\": \"submit\", \"values\": {{\"order_item\": \"tea-green\", \"order_quantity\": \"0\"}}}}'\n\
             curl -s {workbench}/sim/act -H 'content-type: application/json' \\\n\
             \x20 -d '{{\"as\": \"Ada\", \"act\": \"submit\", \"values\": {{\"order_item\": \"tea-green\", \"order_quantity\": \"3\"}}}}'\n\
             \n\
             What happened:\n\
             \n\
             curl -s {workbench}/sim/deliveries\n\
             curl -s {workbench}/sim/calls\n\
             \n\
             Addresses:\n\
             \n\
             simulated Slack  {workbench}\n\
             app              {app}/slack/events\n\
             AWS              {aws}   (any SDK; any access key; region us-east-1)\n"
        )
    }

    /// The page's routes.
    pub(crate) fn router(&self) -> Router {
        let page = self.page();
        let console = page.clone();
        Router::new().route("/", get(|| async move { page })).route("/console", get(|| async move { console }))
    }
}
