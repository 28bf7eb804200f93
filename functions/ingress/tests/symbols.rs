//! What the ingress must not hold, checked without a clock.

fn count(bytes: &[u8], word: &str) -> usize {
    bytes.windows(word.len()).filter(|window| *window == word.as_bytes()).count()
}

/// aws-lc gathers CPU jitter entropy (`jent_…`) before its first random byte: 31 ms of CPU in every cold start, half a
/// second at 128 MB. Nothing links aws-lc today; should something do so, `.cargo/config.toml` keeps the entropy out.
#[test]
fn no_cold_start_waits_for_jitter_entropy() {
    // As cargo built it for this test: not stripped, so its symbols can be looked at.
    let bytes = std::fs::read(env!("CARGO_BIN_EXE_ingress")).unwrap();
    // ring is what is linked instead: seeing its symbols shows that this test would see the others.
    assert!(count(&bytes, "ring_core_") > 0, "the binary is stripped, so this test sees nothing");
    assert_eq!(count(&bytes, "jent_"), 0, "aws-lc with jitter entropy is linked: see .cargo/config.toml");
    assert_eq!(
        count(&bytes, "aws_lc_"),
        0,
        "a second crypto provider is linked: two in one process panic at first use"
    );
}
