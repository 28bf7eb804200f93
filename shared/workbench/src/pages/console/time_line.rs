//! The time line of a delivery: times as text, and bars beside them that only decorate. Long waits in which nothing happens are drawn shorter than
//! they are, since a lease takes seconds and the work milliseconds.

use super::names::thousands;
use crate::history::Story;
use maud::{Markup, html};

/// The width of the drawing, in its own units.
const WIDTH: f64 = 1_000.0;
/// The least that is seen of a bar.
const BAR_MIN: f64 = 6.0;
/// How much of the time in which something happens a wait may take up.
const WAIT_SHARE: f64 = 0.3;

/// The time line, as a list.
pub(super) fn time_line(story: &Story) -> Markup {
    let spans = &story.timeline;
    let drawn: Vec<Drawn> = spans.iter().map(|span| (span.at_ms, span.ms, span.lane == "queue")).collect();
    let scale = Scale::of(&drawn);
    let start = spans.iter().map(|span| span.at_ms).min().unwrap_or_default();
    html! {
        ol.waterfall data-testid="waterfall" {
            @for span in spans {
                @let (x, width) = scale.bar(span.at_ms, span.ms);
                li data-testid="span" data-name=(span.name) data-lane=(span.lane) data-mood=(span.state) {
                    span.lane { (lane(span.lane)) }
                    span.at { "+" (thousands(span.at_ms.saturating_sub(start))) " ms" }
                    svg.time-bar viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                        rect.ground x="0" y="4" width="1000" height="2" {}
                        rect.time x=(format!("{x:.1}")) y="0" width=(format!("{width:.1}")) height="10" {}
                    }
                    span.words {
                        @if span.state == "bad" { span aria-hidden="true" { "✗ " } }
                        (span.text)
                    }
                }
            }
        }
    }
}

fn lane(lane: &str) -> &str {
    match lane {
        "ingress" => "Ingress",
        "queue" => "Queue",
        "worker" => "Worker",
        "slack" => "Slack",
        other => other,
    }
}

/// A span as it is drawn: its start, its length in ms, and whether it is mere waiting.
type Drawn = (u64, f64, bool);

/// From moments to places of the drawing.
struct Scale {
    first: u64,
    /// Moments since the first one, in their order, each with its place.
    places: Vec<(f64, f64)>,
}

impl Scale {
    fn of(spans: &[Drawn]) -> Self {
        let first = spans.iter().map(|(at_ms, ..)| *at_ms).min().unwrap_or_default();
        let ends = |(at_ms, ms, _): &Drawn| [since(first, *at_ms), since(first, *at_ms) + ms.max(0.0)];
        let mut moments: Vec<f64> = spans.iter().flat_map(ends).collect();
        moments.sort_by(f64::total_cmp);
        moments.dedup();
        let is_busy = |from: f64, to: f64| {
            spans.iter().filter(|(.., waits)| !waits).map(ends).any(|[start, end]| start <= from && to <= end)
        };
        let steps: Vec<(f64, bool)> =
            moments.windows(2).map(|pair| (pair[1] - pair[0], is_busy(pair[0], pair[1]))).collect();
        let busy: f64 = steps.iter().filter(|(_, is_busy)| *is_busy).map(|(length, _)| length).sum();
        let wait_max = (busy * WAIT_SHARE).max(1.0);
        let drawn = |(length, is_busy): &(f64, bool)| if *is_busy { *length } else { length.min(wait_max) };
        let whole = steps.iter().map(drawn).sum::<f64>().max(f64::MIN_POSITIVE);
        let widths = steps.iter().map(drawn).chain([0.0]);
        let mut place = 0.0;
        let mut places = Vec::with_capacity(moments.len());
        for (moment, width) in moments.into_iter().zip(widths) {
            places.push((moment, place));
            place += width / whole * WIDTH;
        }
        Self { first, places }
    }

    /// Place and width of a bar, inside the drawing and wide enough to be seen.
    fn bar(&self, at_ms: u64, ms: f64) -> (f64, f64) {
        let start = since(self.first, at_ms);
        let (from, to) = (self.place(start), self.place(start + ms.max(0.0)));
        let width = (to - from).clamp(BAR_MIN, WIDTH);
        (from.clamp(0.0, WIDTH - width), width)
    }

    /// Every moment that is asked for is one of those it was made of.
    fn place(&self, moment: f64) -> f64 {
        let known = self.places.iter().find(|(known, _)| *known >= moment);
        known.or(self.places.last()).map(|(_, place)| *place).unwrap_or_default()
    }
}

fn since(first: u64, at_ms: u64) -> f64 {
    u32::try_from(at_ms.saturating_sub(first)).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_inside_and_can_be_seen() {
        let spans = [(1_000, 3.0, false), (1_003, 9.0, true), (1_012, 14.5, false), (1_020, 0.0, false)];
        let scale = Scale::of(&spans);
        for (at_ms, ms, _) in spans {
            let (x, width) = scale.bar(at_ms, ms);
            assert!(x >= 0.0 && width >= BAR_MIN && x + width <= WIDTH + 1e-9, "{x} {width}");
        }
        assert_eq!(scale.bar(1_000, 3.0).0, 0.0);
        let (x, width) = scale.bar(1_012, 14.5);
        assert!((x + width - WIDTH).abs() < 1e-9);
    }

    #[test]
    fn a_long_wait_leaves_room_for_the_work() {
        let scale = Scale::of(&[(0, 10.0, false), (10, 7_000.0, true), (7_010, 10.0, false)]);
        let (_, work) = scale.bar(0, 10.0);
        let (_, wait) = scale.bar(10, 7_000.0);
        assert!(work > 300.0 && wait < 300.0, "{work} {wait}");
    }

    #[test]
    fn nothing_at_all_and_a_single_moment_can_be_drawn() {
        assert_eq!(Scale::of(&[]).bar(5, 1.0), (0.0, BAR_MIN));
        assert_eq!(Scale::of(&[(5, 0.0, false)]).bar(5, 0.0), (0.0, BAR_MIN));
    }
}
