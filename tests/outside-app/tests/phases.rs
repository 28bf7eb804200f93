//! Each function holds its own half of the app and nothing of the other: one registration, two binaries.

fn holds(binary: &str, word: &str) -> bool {
    let bytes = std::fs::read(binary).unwrap();
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

const INGRESS: &str = env!("CARGO_BIN_EXE_ingress");
const WORKER: &str = env!("CARGO_BIN_EXE_worker");

#[test]
fn the_ingress_holds_no_lazy_code() {
    let words = [
        ("a lazy listener", "the-word-of-the-listener"),
        ("a middleware", "the-word-of-the-middleware"),
        ("the resources", "the-word-of-the-resources"),
        ("the Web API client", "the address or the token cannot be sent"),
        ("DynamoDB", "DynamoDB_20120810.UpdateItem"),
    ];
    for (what, word) in words {
        assert!(holds(WORKER, word), "the worker holds {what}: {word}");
        assert!(!holds(INGRESS, word), "the ingress holds no {what}: {word}");
    }
}

#[test]
fn the_worker_holds_no_ack() {
    assert!(holds(INGRESS, "the-word-of-the-ack"));
    assert!(!holds(WORKER, "the-word-of-the-ack"));
}
