//! Reading text from files and cutting it into tokens to learn from and tokens to validate on.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::tokenizer::{END_OF_TEXT_ID, Tokenizer};

/// Text is handed to the tokenizer in pieces of about this many bytes.
const PIECE_BYTES: usize = 32 << 10;
/// Validation text is taken from the whole corpus, in stretches of at most this many tokens.
const STRETCH_TOKENS_MAX: usize = 4096;
/// The tokenizer learns from at most this many bytes, spread over the corpus.
const TOKENIZER_BYTES: usize = 2 << 20;

/// The text files of a corpus, in the order of their paths.
#[derive(Debug, Default)]
pub(crate) struct Corpus {
    texts: Vec<String>,
    /// Files that are not UTF-8 text, or hold none.
    pub(crate) files_skipped: usize,
    /// Bytes of text taken.
    pub(crate) bytes: u64,
    /// Bytes of text found.
    pub(crate) bytes_found: u64,
}

impl Corpus {
    /// Reads every text file among `sources` and in the folders among them. Where that is more than
    /// `bytes_max`, it takes pieces evenly from all of them.
    pub(crate) fn read(sources: &[PathBuf], bytes_max: u64) -> Result<Corpus, Error> {
        let mut files = Vec::new();
        for source in sources {
            collect(source, &mut files)?;
        }
        let total: u64 = files.iter().map(|(_, bytes)| bytes).sum();
        let every = usize::try_from(total.div_ceil(bytes_max.max(1))).unwrap_or(usize::MAX).max(1);
        let mut corpus = Corpus::default();
        let mut count = 0;
        for (path, _) in files {
            let bytes = fs::read(&path).map_err(Error::file("cannot read", &path))?;
            let Some(text) = text(bytes) else {
                corpus.files_skipped += 1;
                continue;
            };
            corpus.bytes_found += text.len() as u64;
            let mut kept = String::new();
            for piece in pieces(&text) {
                if count % every == 0 {
                    kept.push_str(piece);
                }
                count += 1;
            }
            corpus.bytes += kept.len() as u64;
            corpus.texts.push(kept);
        }
        Ok(corpus)
    }

    /// Text files read.
    pub(crate) fn files(&self) -> usize {
        self.texts.len()
    }

    /// Pieces of the text for the tokenizer to learn from.
    pub(crate) fn sample(&self) -> impl Iterator<Item = &str> + Send {
        let every = (self.bytes as usize).div_ceil(TOKENIZER_BYTES).max(1);
        self.texts.iter().flat_map(|text| pieces(text)).step_by(every)
    }

    /// The tokens of all texts in order, with the end-of-text token after each.
    pub(crate) fn tokens(&self, tokenizer: &Tokenizer) -> Result<Vec<u32>, Error> {
        let mut all = vec![END_OF_TEXT_ID];
        for text in &self.texts {
            let pieces: Vec<&str> = pieces(text).collect();
            for tokens in tokenizer.encode_all(&pieces)? {
                all.extend(tokens);
            }
            all.push(END_OF_TEXT_ID);
        }
        Ok(all)
    }
}

/// The files below `source` with their sizes, sorted, without following links inside it.
fn collect(source: &Path, files: &mut Vec<(PathBuf, u64)>) -> Result<(), Error> {
    let cannot_read = || Error::file("cannot read", source);
    let about = fs::metadata(source).map_err(cannot_read())?;
    if !about.is_dir() {
        files.push((source.to_path_buf(), about.len()));
        return Ok(());
    }
    let mut entries = fs::read_dir(source)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(cannot_read())?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type().map_err(cannot_read())?;
        if kind.is_dir() || kind.is_file() {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// The bytes as text, if they are some.
fn text(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    (!text.trim().is_empty() && !text.contains('\0')).then_some(text)
}

/// Cuts `text` after line ends, or between characters where lines are long.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let limit = rest.floor_char_boundary(PIECE_BYTES);
        let head = rest.get(..limit).unwrap_or(rest);
        let end = if limit == rest.len() {
            limit
        } else {
            head.rfind('\n').map_or(limit, |newline| newline + 1)
        };
        let (piece, after) = rest.split_at(end.max(1).min(rest.len()));
        rest = after;
        Some(piece)
    })
}

/// Tokens to learn from and tokens to validate on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) training: Vec<u32>,
    pub(crate) validation: Vec<u32>,
}

impl Split {
    /// Keeps about `fraction` of `tokens` for validation, in stretches from the whole corpus, each
    /// at least one `window` long. Gives nothing when there are not enough for one window of each
    /// kind.
    pub(crate) fn new(tokens: &[u32], fraction: f64, window: usize) -> Option<Split> {
        if tokens.len() < 2 * window {
            return None;
        }
        let every = (1.0 / fraction).round().max(2.0) as usize;
        let stretch = (tokens.len() / (4 * every)).clamp(window, STRETCH_TOKENS_MAX.max(window));
        if tokens.len() / stretch < every {
            let (training, validation) = tokens.split_at(tokens.len() - window);
            return Some(Split { training: training.to_vec(), validation: validation.to_vec() });
        }
        let mut split = Split { training: Vec::new(), validation: Vec::new() };
        for (i, stretch) in tokens.chunks(stretch).enumerate() {
            let kept = i % every == every - 1;
            let side = if kept { &mut split.validation } else { &mut split.training };
            side.extend_from_slice(stretch);
        }
        Some(split)
    }

    /// A number that differs when the tokens do.
    pub(crate) fn fingerprint(&self) -> u64 {
        let step =
            |hash: u64, token: &u32| (hash ^ u64::from(*token)).wrapping_mul(0x0000_0100_0000_01b3);
        self.training.iter().chain(&self.validation).fold(0xcbf2_9ce4_8422_2325, step)
    }
}

#[cfg(test)]
mod tests;
