//! Channels, direct messages, the app.

use super::{Place, Scene};
use maud::{Markup, html};
use tack_simulator::{Channel, ChannelType};

impl Scene<'_> {
    pub(super) fn sidebar(&self, place: &Place) -> Markup {
        let workspace = self.state.workspace();
        let mine = |channel: &&Channel| {
            let is_open = channel.channel_type == ChannelType::Channel || channel.members.contains(&self.me);
            channel.channel_type != ChannelType::Im && is_open && !channel.is_archived && channel.is_in(&self.team)
        };
        let here = |id: &str| matches!(place, Place::Conversation { channel, .. } if channel == id).then_some("page");
        let mut ims = workspace.channels.iter().filter(|channel| channel.channel_type == ChannelType::Im);
        let im = ims.find(|channel| channel.name == self.me);
        let im_here = im.is_some_and(|im| here(&im.id).is_some()) || here(&self.me).is_some();
        html! {
            nav.side data-testid="sidebar" aria-label="Conversations" {
                h2 { "Channels" }
                ul {
                    @for channel in workspace.channels.iter().filter(mine) {
                        li {
                            a href={ "/archives/" (channel.id) } data-testid="conversation-item" data-id=(channel.id) aria-current=[here(&channel.id)] {
                                span {
                                    @if channel.channel_type == ChannelType::Group { span aria-label="private" { "🔒 " } } @else { "# " }
                                    (channel.name)
                                }
                                @if channel.is_ext_shared() { span.muted { "shared" } }
                            }
                        }
                    }
                }
                h2 { "Apps" }
                @if self.is_installed {
                    ul {
                        li {
                            a href="/app/messages" data-testid="conversation-item" data-id="app" aria-current=[im_here.then_some("page")] { "tack" span.muted { "messages" } }
                        }
                        li {
                            form method="post" action="/act/home" data-act {
                                input type="hidden" name="back" value="/app/home";
                                button data-testid="app-item" aria-current=[matches!(place, Place::Home).then_some("page")] { "tack" span { "Home" } }
                            }
                        }
                    }
                } @else { p.muted { "tack is not in this workspace." } }
            }
        }
    }
}
