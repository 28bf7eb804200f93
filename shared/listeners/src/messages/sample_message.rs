//! Somebody says hi, hello or hey: the bot greets back, as in Bolt's starter.

use crate::Context;
use tack_app::ListenerError;
use tack_app::payload::Message;

/// A greeting at the start of a message.
pub(crate) const PATTERN: &str = r"^(?i:hi|hello|hey)\b";

pub(crate) async fn greet(context: &Context, message: &Message) -> Result<(), ListenerError> {
    context.say(answer(&message.text)).await?;
    Ok(())
}

fn answer(text: &str) -> String {
    let word: String = text.chars().take_while(|c| c.is_ascii_alphabetic()).collect();
    format!("{word}, how are you?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tack_app::Regex;

    #[test]
    fn a_greeting_is_answered_with_itself() {
        assert_eq!(answer("hi"), "hi, how are you?");
        assert_eq!(answer("Hello there!"), "Hello, how are you?");
    }

    #[test]
    fn only_a_greeting_at_the_start_is_one() {
        let pattern = Regex::new(PATTERN).unwrap();
        for text in ["hi", "HELLO", "hey you", "hi, all"] {
            assert!(pattern.is_match(text), "{text:?}");
        }
        for text in ["oh hi", "history", "they", ""] {
            assert!(!pattern.is_match(text), "{text:?}");
        }
    }
}
