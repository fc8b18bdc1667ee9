//! Code blocks of pages.

/// One code block of a page.
#[derive(Clone, Debug)]
pub struct Block {
    /// The nearest heading that is not a mere "Usage Examples".
    pub heading: String,
    pub language: String,
    pub source: String,
}

/// The code blocks of a page in their order.
pub fn blocks_of(page: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut heading = String::new();
    let mut is_open = false;
    for line in page.lines() {
        match (is_open, line.strip_prefix("```")) {
            (false, Some(language)) => {
                is_open = true;
                let (heading, language) = (heading.clone(), language.to_owned());
                found.push(Block {
                    heading,
                    language,
                    source: String::new(),
                });
            }
            (true, Some("")) => is_open = false,
            (true, _) => {
                let block = found.last_mut().expect("a block is open");
                block.source.push_str(line);
                block.source.push('\n');
            }
            (false, None) if line.starts_with('#') => {
                let title = line.trim_start_matches('#').trim();
                if title != "Usage Examples" {
                    title.clone_into(&mut heading);
                }
            }
            (false, None) => {}
        }
    }
    found
}
