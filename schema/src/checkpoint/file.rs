//! Reads the file of a checkpoint line by line.

use super::{Checkpoint, Head, Leaf, Note, Signature, head::NotAHead, leaf::NotALeaf, merkle::Tree, note};

/// The longest line, in bytes. A leaf has about 130.
pub const LINE_BYTES_MAX: usize = 8 * 1024;
/// The most leaves: 640 MB of memory.
pub const LEAVES_MAX: usize = 10_000_000;

/// The most lines of text and of signatures. The format asks readers for 16 signatures at least.
const HEAD_LINES_MAX: usize = 32;

/// A file that is no checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    #[error("the text above the signatures {0}")]
    Head(NotAHead),
    #[error("line {line} {why}")]
    Signature { line: u64, why: note::NotASignature },
    #[error("line {line} {why}")]
    Leaf { line: u64, why: NotALeaf },
    #[error("the stream in line {line} must follow the one before it in the order of names")]
    Order { line: u64 },
    #[error("line {line} is one too many")]
    Long { line: u64 },
    #[error("it begins with a byte order mark; copy the file in binary mode")]
    Mark,
    #[error("line {line} ends with CR LF; copy the file in binary mode")]
    CrLf { line: u64 },
    #[error("its last line is cut off or too long")]
    Cut,
    #[error("it has no signature")]
    Unsigned,
    #[error("it has {found} leaves, but its text says {said}")]
    Size { found: u64, said: u64 },
    #[error("its leaves do not give the root in its text")]
    Root,
}

#[derive(Debug, Default)]
enum Part {
    #[default]
    Text,
    Signatures,
    Leaves,
}

/// Takes the lines of a file, and gives the checkpoint. Does not check signatures.
#[derive(Debug, Default)]
pub struct Reader {
    part: Part,
    lines: u64,
    text: String,
    signatures: Vec<Signature>,
    leaves: Vec<Leaf>,
    tree: Tree,
}

impl Reader {
    /// Takes the next line, without its newline.
    ///
    /// # Errors
    /// The line cannot stand here.
    pub fn line(&mut self, content: &str) -> Result<(), Malformed> {
        self.lines += 1;
        let line = self.lines;
        if line == 1 && content.starts_with('\u{feff}') {
            return Err(Malformed::Mark);
        }
        if content.ends_with('\r') {
            return Err(Malformed::CrLf { line });
        }
        match self.part {
            Part::Text if content.is_empty() => self.part = Part::Signatures,
            Part::Signatures if content.is_empty() => self.part = Part::Leaves,
            Part::Text | Part::Signatures if self.lines > HEAD_LINES_MAX as u64 => {
                return Err(Malformed::Long { line });
            }
            Part::Text => {
                self.text.push_str(content);
                self.text.push('\n');
            }
            Part::Signatures => {
                let signature = content.parse().map_err(|why| Malformed::Signature { line, why })?;
                self.signatures.push(signature);
            }
            Part::Leaves => {
                let leaf: Leaf = content.parse().map_err(|why| Malformed::Leaf { line, why })?;
                if self.leaves.last().is_some_and(|last| last.place() >= leaf.place()) {
                    return Err(Malformed::Order { line });
                }
                if self.leaves.len() >= LEAVES_MAX {
                    return Err(Malformed::Long { line });
                }
                self.tree.push(leaf.node());
                self.leaves.push(leaf);
            }
        }
        Ok(())
    }

    /// The checkpoint, after the last line.
    ///
    /// # Errors
    /// The file is incomplete, or the leaves are not those of the text.
    pub fn end(self) -> Result<Checkpoint, Malformed> {
        let head: Head = self.text.parse().map_err(Malformed::Head)?;
        if self.signatures.is_empty() {
            return Err(Malformed::Unsigned);
        }
        let found = self.leaves.len() as u64;
        if found != head.size {
            return Err(Malformed::Size { found, said: head.size });
        }
        if self.tree.root() != head.root {
            return Err(Malformed::Root);
        }
        let note = Note { text: self.text, signatures: self.signatures };
        Ok(Checkpoint { note, head, leaves: self.leaves })
    }
}
