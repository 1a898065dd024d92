//! The byte-pair tokenizer: trained on the corpus, saved as `tokenizer.json`.
//!
//! It works on bytes, so every text has tokens and comes back unchanged.

use std::path::Path;

use rayon::prelude::*;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, Tokenizer as Library, models::TrainerWrapper};

use crate::Error;

/// The token between documents, before the first and after the last.
pub(crate) const END_OF_TEXT: &str = "<|endoftext|>";
/// Its number.
pub(crate) const END_OF_TEXT_ID: u32 = 0;

/// A text's way to numbers and back.
#[derive(Debug)]
pub(crate) struct Tokenizer(Library);

fn failed(error: tokenizers::Error) -> Error {
    Error::Tokenizer(error)
}

impl Tokenizer {
    /// Learns at most `vocabulary` entries from `texts`.
    pub(crate) fn train<'a>(
        texts: impl Iterator<Item = &'a str> + Send,
        vocabulary: usize,
    ) -> Result<Tokenizer, Error> {
        let mut library = Library::new(BPE::default());
        library.with_pre_tokenizer(Some(ByteLevel::new(false, true, true)));
        library.with_decoder(Some(ByteLevel::default()));
        let mut trainer = TrainerWrapper::BpeTrainer(
            BpeTrainer::builder()
                .vocab_size(vocabulary)
                .min_frequency(2)
                .show_progress(false)
                .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
                .special_tokens(vec![AddedToken::from(END_OF_TEXT, true)])
                .build(),
        );
        library.train(&mut trainer, texts).map_err(failed)?;
        Ok(Tokenizer::of(library))
    }

    /// A tokenizer to which the name of a special token in a text is ordinary text.
    fn of(mut library: Library) -> Tokenizer {
        library.set_encode_special_tokens(true);
        Tokenizer(library)
    }

    /// Reads a `tokenizer.json`.
    pub(crate) fn load(path: &Path) -> Result<Tokenizer, Error> {
        let text = std::fs::read(path).map_err(Error::file("cannot read", path))?;
        let library = Library::from_bytes(&text).map_err(|e| Error::malformed(path, e))?;
        let tokenizer = Tokenizer::of(library);
        if tokenizer.0.token_to_id(END_OF_TEXT) != Some(END_OF_TEXT_ID) {
            return Err(Error::malformed(path, format!("lacks the token {END_OF_TEXT}")));
        }
        Ok(tokenizer)
    }

    /// The text of a `tokenizer.json`.
    pub(crate) fn to_json(&self) -> Result<String, Error> {
        self.0.to_string(true).map_err(failed)
    }

    /// Entries, special ones included.
    pub(crate) fn entries(&self) -> usize {
        self.0.get_vocab_size(true)
    }

    /// The tokens of one text.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        let encoding = self.0.encode_fast(text, false).map_err(failed)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The tokens of many texts, on all threads of the current pool.
    pub(crate) fn encode_all(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>, Error> {
        texts.par_iter().map(|text| self.encode(text)).collect()
    }

    /// A decoder that gives text as soon as it is complete characters.
    pub(crate) fn decoder(&self) -> impl FnMut(u32) -> Result<Option<String>, Error> {
        let mut stream = self.0.decode_stream(true);
        move |token| stream.step(token).map_err(failed)
    }
}

#[cfg(test)]
mod tests;
