//! Continuing a text with a trained model.

use std::path::Path;

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Uniform};

use crate::batches::stream;
use crate::decoder::Decoder;
use crate::model::Model;
use crate::tokenizer::{END_OF_TEXT_ID, Tokenizer};
use crate::{Error, kernels, layout};

/// How a text is continued.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GenerateConfig {
    /// Tokens to add at most.
    pub tokens_max: usize,
    /// How freely the next token is chosen; zero always takes the likeliest.
    pub temperature: f32,
    /// Only so many of the likeliest tokens are considered; zero considers all.
    pub top_k: usize,
    /// Decides the choices.
    pub seed: u64,
}

impl Default for GenerateConfig {
    fn default() -> GenerateConfig {
        GenerateConfig { tokens_max: 120, temperature: 0.8, top_k: 40, seed: 0 }
    }
}

/// Continues `prompt` with the model in `folder`, handing each piece of text to `write` as it
/// comes. Returns the number of tokens added.
///
/// # Errors
/// When the folder does not hold a model of the kind that this crate trains, or a setting is out of
/// range.
pub fn generate(
    folder: &Path,
    prompt: &str,
    config: GenerateConfig,
    write: &mut dyn FnMut(&str),
) -> Result<usize, Error> {
    if !config.temperature.is_finite() || !(0.0..=100.0).contains(&config.temperature) {
        let problem = format!("must be between 0 and 100, not {}", config.temperature);
        return Err(Error::Setting { setting: "temperature", problem });
    }
    let (model, tokenizer) = layout::read(folder)?;
    let mut text = Text::begin(&model, &tokenizer, prompt)?;
    let mut random = stream(config.seed, 0);
    let mut decode = tokenizer.decoder();
    for added in 0..config.tokens_max {
        let token = choose(&text.scores, config, &mut random);
        if token == END_OF_TEXT_ID {
            return Ok(added);
        }
        if let Some(piece) = decode(token)? {
            write(&piece);
        }
        text.push(token)?;
    }
    Ok(config.tokens_max)
}

/// A text as a model sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Its tokens.
    pub tokens: Vec<u32>,
    /// After each token, the score of every entry of the vocabulary as the next.
    pub scores: Vec<Vec<f32>>,
}

/// What the model in `folder` expects after each token of `text`, which must fit its context.
///
/// # Errors
/// When the folder does not hold a model of the kind that this crate trains, or the text is too
/// long.
pub fn score(folder: &Path, text: &str) -> Result<Scored, Error> {
    let (model, tokenizer) = layout::read(folder)?;
    let tokens = tokenizer.encode(text)?;
    let context = model.dimensions.context;
    if tokens.len() > context {
        let problem = format!("has {} tokens, more than the model's {context}", tokens.len());
        return Err(Error::Setting { setting: "text", problem });
    }
    let mut decoder = Decoder::new(&model);
    let scores = tokens.iter().map(|token| decoder.advance(*token)).collect::<Result<_, _>>()?;
    Ok(Scored { tokens, scores })
}

/// A text under way and the scores for its next token.
struct Text<'a> {
    decoder: Decoder<'a>,
    model: &'a Model,
    tokens: Vec<u32>,
    scores: Vec<f32>,
}

impl<'a> Text<'a> {
    fn begin(model: &'a Model, tokenizer: &Tokenizer, prompt: &str) -> Result<Text<'a>, Error> {
        let mut tokens = vec![END_OF_TEXT_ID];
        tokens.extend(tokenizer.encode(prompt)?);
        let mut text = Text { decoder: Decoder::new(model), model, tokens, scores: Vec::new() };
        text.read_again()?;
        Ok(text)
    }

    fn push(&mut self, token: u32) -> Result<(), Error> {
        self.tokens.push(token);
        if self.decoder.position() == self.model.dimensions.context {
            return self.read_again();
        }
        self.scores = self.decoder.advance(token)?;
        Ok(())
    }

    /// Takes in the end of the text anew, as much as leaves half of the context free.
    fn read_again(&mut self) -> Result<(), Error> {
        let kept = self.model.dimensions.context / 2;
        self.decoder = Decoder::new(self.model);
        let start = self.tokens.len().saturating_sub(kept);
        for token in self.tokens.iter().skip(start) {
            self.scores = self.decoder.advance(*token)?;
        }
        Ok(())
    }
}

/// The next token for `scores`.
fn choose(scores: &[f32], config: GenerateConfig, random: &mut ChaCha8Rng) -> u32 {
    let mut ranked: Vec<(u32, f32)> = (0..).zip(scores.iter().copied()).collect();
    ranked.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
    if config.top_k > 0 {
        ranked.truncate(config.top_k);
    }
    let likeliest = ranked.first().map_or(END_OF_TEXT_ID, |(token, _)| *token);
    if config.temperature <= 0.0 {
        return likeliest;
    }
    let mut chances: Vec<f32> = ranked.iter().map(|(_, x)| x / config.temperature).collect();
    kernels::softmax(&mut chances);
    let mut left = Uniform::new(0.0, 1.0).map_or(0.0, |unit| unit.sample(random));
    for ((token, _), chance) in ranked.iter().zip(chances) {
        left -= chance;
        if left < 0.0 {
            return *token;
        }
    }
    likeliest
}

#[cfg(test)]
mod tests;
