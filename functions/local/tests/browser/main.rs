//! The pages of the real `tack` in a real browser: headless Chromium, driven over WebDriver from here.
//! Each test has a `tack` and a browser of its own, and they run one after the other: what they time is the page and not each other.
//! Invariant: nothing is waited for but what a person could see, and every browser test ends with an empty browser console.

// Clippy takes functions outside `#[test]` for test code only under `cfg(test)`.
#[cfg(test)]
mod accessibility;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod elements;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod frame;
#[cfg(test)]
mod history;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod http;
#[cfg(test)]
mod installs;
#[cfg(test)]
mod keyboard;
#[cfg(test)]
mod page;
#[cfg(test)]
mod states;
#[cfg(test)]
mod tack;
#[cfg(test)]
mod walk;
#[cfg(test)]
mod web_driver;
