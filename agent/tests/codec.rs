//! Frames against the vectors that both ends share, and against themselves.

use microsandbox_agent::frame::{self, Decoder, FrameType, Header};
use serde_json::Value;

fn vectors(which: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/vectors/frames.json");
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let vectors = all[which].as_array().unwrap().clone();
    assert!(!vectors.is_empty());
    vectors
}

fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn kind(name: &str) -> FrameType {
    match name {
        "CONTROL" => FrameType::Control,
        "OPEN" => FrameType::Open,
        "OPENED" => FrameType::Opened,
        "DATA" => FrameType::Data,
        "EVENT" => FrameType::Event,
        "CREDIT" => FrameType::Credit,
        "END" => FrameType::End,
        "RESET" => FrameType::Reset,
        other => panic!("no type {other}"),
    }
}

#[test]
fn frames_are_read_and_written_as_the_vectors_say() {
    for vector in vectors("read") {
        let whole = bytes(&vector["bytes"]);
        for step in [1, 3, whole.len().max(1)] {
            let mut decoder = Decoder::default();
            let mut got = Vec::new();
            for piece in whole.chunks(step) {
                decoder.push(piece);
                while let Some(frame) = decoder.next_frame().unwrap() {
                    got.push(frame);
                }
            }
            let wanted = vector["frames"].as_array().unwrap();
            assert_eq!(got.len(), wanted.len(), "{}", vector["name"]);
            let mut written = Vec::new();
            for ((header, payload), wanted) in got.iter().zip(wanted) {
                assert_eq!(u64::from(header.stream), wanted["stream"].as_u64().unwrap());
                assert_eq!(header.kind, kind(wanted["type"].as_str().unwrap()));
                assert_eq!(u64::from(header.lane), wanted["flags"].as_u64().unwrap());
                assert_eq!(*payload, bytes(&wanted["payload"]));
                frame::append(
                    &mut written,
                    header.stream,
                    header.kind,
                    header.lane,
                    payload,
                );
            }
            assert_eq!(
                decoder.rest() as u64,
                vector["rest"].as_u64().unwrap(),
                "{}",
                vector["name"]
            );
            assert_eq!(written, whole[..whole.len() - decoder.rest()]);
        }
    }
}

#[test]
fn what_the_vectors_call_broken_is_seen_from_the_header_on() {
    for vector in vectors("broken") {
        let mut decoder = Decoder::default();
        decoder.push(&bytes(&vector["bytes"]));
        let broken = loop {
            match decoder.next_frame() {
                Ok(Some(_)) => {}
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broken, "{}", vector["name"]);
    }
}

/// Every header is either refused or says the same again when written; nothing panics.
#[test]
fn any_bytes_are_frames_or_refused() {
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut read = 0;
    for _ in 0..200_000 {
        let mut head = [0; frame::HEADER];
        head[3] = (random() % 3) as u8;
        head[4] = (random() % 11) as u8;
        head[5] = (random() % 4 / 2) as u8;
        head[9] = (random() % 16 / 15) as u8;
        head[10] = (random() % 2) as u8;
        head[11] = random() as u8;
        if random() % 8 == 0 {
            head[(random() % 12) as usize] = random() as u8;
        }
        let Ok(header) = Header::parse(&head) else {
            continue;
        };
        read += 1;
        let mut again = Vec::new();
        frame::append(
            &mut again,
            header.stream,
            header.kind,
            header.lane,
            &vec![0; header.length],
        );
        assert_eq!(again[..frame::HEADER], head);
    }
    assert!(read > 10_000, "{read}");
}
