//! Server-sent events, as bytes come.

use crate::error::SandboxError;

const MAXIMUM_EVENT: usize = 64 * 1024 * 1024;

/// An event as the stream has it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RawEvent {
    pub(crate) kind: String,
    /// Offset of the output to go on from.
    pub(crate) offset: Option<u64>,
    pub(crate) data: String,
}

/// Turns bytes of an event stream into events, whatever the borders of the blocks.
#[derive(Default)]
pub(crate) struct EventParser {
    rest: Vec<u8>,
    kind: String,
    offset: Option<u64>,
    data: Option<String>,
}

impl EventParser {
    /// Hands on the events that this block completes.
    pub(crate) fn feed(
        &mut self,
        block: &[u8],
        mut take: impl FnMut(RawEvent),
    ) -> Result<(), SandboxError> {
        let mut lines = block.split(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            let held = self.rest.len() + line.len() + self.data.as_ref().map_or(0, String::len);
            if held > MAXIMUM_EVENT {
                return Err(SandboxError::internal("the server sent an endless event"));
            }
            self.rest.extend_from_slice(line);
            if lines.peek().is_some() {
                let line = std::mem::take(&mut self.rest);
                if let Some(event) = self.line(&String::from_utf8_lossy(&line)) {
                    take(event);
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Option<RawEvent> {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            let (kind, offset) = (std::mem::take(&mut self.kind), self.offset.take());
            let data = self.data.take()?;
            return Some(RawEvent { kind, offset, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "id" => self.offset = offset(value),
            "data" => {
                let data = self.data.get_or_insert_default();
                if !data.is_empty() {
                    data.push('\n');
                }
                data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

fn offset(text: &str) -> Option<u64> {
    text.parse()
        .ok()
        .filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\n\nid: 3\nevent: stdout\ndata: {\"text\": \"ä\\n\"}\n\n\
        event: finished\r\ndata: {\"outcome\":\r\ndata:  \"ok\"}\r\n\r\nevent: of-the-future\ndata: {}\n\n";

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let event = |kind: &str, offset, data: &str| RawEvent {
            kind: kind.to_owned(),
            offset,
            data: data.to_owned(),
        };
        for size in 1..=STREAM.len() {
            let mut parser = EventParser::default();
            let mut found = Vec::new();
            for block in STREAM.as_bytes().chunks(size) {
                parser.feed(block, |event| found.push(event)).unwrap();
            }
            let expected = [
                event("stdout", Some(3), "{\"text\": \"ä\\n\"}"),
                event("finished", None, "{\"outcome\":\n \"ok\"}"),
                event("of-the-future", None, "{}"),
            ];
            assert_eq!(found, expected);
        }
    }

    fn feed_until_refused(block: &[u8]) -> SandboxError {
        let mut parser = EventParser::default();
        let blocks = MAXIMUM_EVENT / block.len() + 2;
        (0..blocks)
            .find_map(|_| parser.feed(block, |_| {}).err())
            .expect("nothing was refused")
    }

    #[test]
    fn events_of_no_end_are_refused_in_one_line_and_in_many() {
        let line = vec![b'x'; 8 * 1024 * 1024];
        assert!(feed_until_refused(&line).message().contains("endless"));
        let lines = [b"data: ".as_slice(), &line, b"\n"].concat();
        assert!(feed_until_refused(&lines).message().contains("endless"));
    }
}
