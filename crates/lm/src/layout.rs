//! A model as the files that Hugging Face `transformers` loads unchanged.

use std::fs;
use std::path::Path;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::block::Block;
use crate::config::{Dimensions, NORM_EPSILON, ROPE_THETA};
use crate::files::{Arrays, Reader, replace};
use crate::model::Model;
use crate::tensors::with_floats;
use crate::tokenizer::{END_OF_TEXT, END_OF_TEXT_ID, Tokenizer};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
/// The tokenizer's file.
pub(crate) const TOKENIZER: &str = "tokenizer.json";

/// `config.json`, as far as it decides how the weights are used.
#[derive(Debug, Deserialize, Serialize)]
struct Config {
    architectures: Vec<String>,
    model_type: String,
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: usize,
    max_position_embeddings: usize,
    hidden_act: String,
    rms_norm_eps: f32,
    rope_theta: f32,
    tie_word_embeddings: bool,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    attention_dropout: f32,
    #[serde(default)]
    initializer_range: f32,
    #[serde(default)]
    use_cache: bool,
    bos_token_id: u32,
    eos_token_id: u32,
    #[serde(default)]
    torch_dtype: String,
}

impl Config {
    fn of(dimensions: Dimensions) -> Config {
        Config {
            architectures: vec!["LlamaForCausalLM".to_owned()],
            model_type: "llama".to_owned(),
            vocab_size: dimensions.vocabulary,
            hidden_size: dimensions.width,
            intermediate_size: dimensions.hidden,
            num_hidden_layers: dimensions.layers,
            num_attention_heads: dimensions.heads,
            num_key_value_heads: dimensions.heads,
            max_position_embeddings: dimensions.context,
            hidden_act: "silu".to_owned(),
            rms_norm_eps: NORM_EPSILON,
            rope_theta: ROPE_THETA,
            tie_word_embeddings: true,
            attention_bias: false,
            mlp_bias: false,
            attention_dropout: 0.0,
            initializer_range: 0.02,
            use_cache: true,
            bos_token_id: END_OF_TEXT_ID,
            eos_token_id: END_OF_TEXT_ID,
            torch_dtype: "float32".to_owned(),
        }
    }

    /// The dimensions, if this is a model of the kind that this crate trains.
    fn dimensions(&self) -> Result<Dimensions, String> {
        let expected = Config::of(Dimensions {
            vocabulary: self.vocab_size,
            width: self.hidden_size,
            hidden: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            context: self.max_position_embeddings,
        });
        let same = [
            ("model_type", self.model_type == expected.model_type),
            ("num_key_value_heads", self.num_key_value_heads == self.num_attention_heads),
            ("hidden_act", self.hidden_act == expected.hidden_act),
            ("rms_norm_eps", (self.rms_norm_eps - NORM_EPSILON).abs() < 1e-9),
            ("rope_theta", (self.rope_theta - ROPE_THETA).abs() < 1e-3),
            ("tie_word_embeddings", self.tie_word_embeddings),
            ("attention_bias", !self.attention_bias),
            ("mlp_bias", !self.mlp_bias),
        ];
        if let Some((key, _)) = same.into_iter().find(|(_, same)| !same) {
            return Err(format!("has a {key} that models trained here do not have"));
        }
        let dimensions = Dimensions {
            vocabulary: self.vocab_size,
            width: self.hidden_size,
            hidden: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            context: self.max_position_embeddings,
        };
        dimensions.check().map_err(|error| error.to_string()).map(|()| dimensions)
    }
}

#[derive(Serialize)]
struct GenerationConfig {
    bos_token_id: u32,
    eos_token_id: u32,
    do_sample: bool,
    temperature: f32,
    top_k: usize,
}

#[derive(Serialize)]
struct TokenizerConfig<'a> {
    tokenizer_class: &'a str,
    bos_token: &'a str,
    eos_token: &'a str,
    clean_up_tokenization_spaces: bool,
    model_max_length: usize,
}

/// Writes the weights and every configuration file; `card` becomes the README.
pub(crate) fn write(folder: &Path, model: &Model, card: &str) -> Result<(), Error> {
    let path = folder.join(WEIGHTS);
    let weights =
        arrays(model)?.to_bytes(("format", "pt")).map_err(|e| Error::malformed(&path, e))?;
    replace(&path, &weights)?;
    replace(&folder.join("README.md"), card.as_bytes())?;
    write_json(&folder.join(CONFIG), &Config::of(model.dimensions))?;
    let generation = GenerationConfig {
        bos_token_id: END_OF_TEXT_ID,
        eos_token_id: END_OF_TEXT_ID,
        do_sample: true,
        temperature: 0.8,
        top_k: 40,
    };
    write_json(&folder.join("generation_config.json"), &generation)
}

/// Writes the tokenizer and its configuration.
pub(crate) fn write_tokenizer(
    folder: &Path,
    tokenizer: &Tokenizer,
    context: usize,
) -> Result<(), Error> {
    replace(&folder.join(TOKENIZER), tokenizer.to_json()?.as_bytes())?;
    let config = TokenizerConfig {
        tokenizer_class: "PreTrainedTokenizerFast",
        bos_token: END_OF_TEXT,
        eos_token: END_OF_TEXT,
        clean_up_tokenization_spaces: false,
        model_max_length: context,
    };
    write_json(&folder.join("tokenizer_config.json"), &config)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(value).map_err(|e| Error::malformed(path, e))?;
    text.push('\n');
    replace(path, text.as_bytes())
}

/// The weights under the names and in the orientation of Llama: matrices map columns, `matrix ·
/// input`.
fn arrays(model: &Model) -> Result<Arrays, Error> {
    let mut arrays = Arrays::default();
    let mut push = |name: String, tensor: &Tensor| {
        let tensor = tensor.contiguous()?;
        with_floats(&tensor, |values| arrays.push(name, tensor.dims(), values))
    };
    let Dimensions { width, hidden, .. } = model.dimensions;
    push("model.embed_tokens.weight".to_owned(), &model.embedding)?;
    for (layer, block) in model.blocks.iter().enumerate() {
        let at = |part: &str| format!("model.layers.{layer}.{part}.weight");
        push(at("input_layernorm"), &block.attention_norm)?;
        for (i, part) in ["q_proj", "k_proj", "v_proj"].into_iter().enumerate() {
            let matrix = block.attention_in.narrow(1, i * width, width)?.t()?;
            push(at(&format!("self_attn.{part}")), &matrix)?;
        }
        push(at("self_attn.o_proj"), &block.attention_out.t()?)?;
        push(at("post_attention_layernorm"), &block.hidden_norm)?;
        for (i, part) in ["gate_proj", "up_proj"].into_iter().enumerate() {
            let matrix = block.hidden_in.narrow(1, i * hidden, hidden)?.t()?;
            push(at(&format!("mlp.{part}")), &matrix)?;
        }
        push(at("mlp.down_proj"), &block.hidden_out.t()?)?;
    }
    push("model.norm.weight".to_owned(), &model.norm)?;
    Ok(arrays)
}

/// Reads a model that this crate trained. Nothing in the folder is trusted.
pub(crate) fn read(folder: &Path) -> Result<(Model, Tokenizer), Error> {
    let path = folder.join(CONFIG);
    let text = fs::read(&path).map_err(Error::file("cannot read", &path))?;
    let config: Config = serde_json::from_slice(&text).map_err(|e| Error::malformed(&path, e))?;
    let dimensions = config.dimensions().map_err(|problem| Error::malformed(&path, problem))?;
    let tokenizer = Tokenizer::load(&folder.join(TOKENIZER))?;
    if tokenizer.entries() > dimensions.vocabulary {
        let problem = format!(
            "has {} entries, more than the model's {}",
            tokenizer.entries(),
            dimensions.vocabulary
        );
        return Err(Error::malformed(folder.join(TOKENIZER), problem));
    }
    let path = folder.join(WEIGHTS);
    let bytes = fs::read(&path).map_err(Error::file("cannot read", &path))?;
    let reader = Reader::new(&path, &bytes)?;
    let Dimensions { vocabulary, width, layers, .. } = dimensions;
    let embedding = reader.tensor("model.embed_tokens.weight", &[vocabulary, width])?;
    let blocks = (0..layers).map(|layer| block(&reader, dimensions, layer));
    let blocks = blocks.collect::<Result<_, _>>()?;
    let norm = reader.tensor("model.norm.weight", &[width])?;
    Ok((Model::new(dimensions, embedding, blocks, norm), tokenizer))
}

fn block(reader: &Reader<'_>, dimensions: Dimensions, layer: usize) -> Result<Block, Error> {
    let Dimensions { width, hidden, .. } = dimensions;
    let read = |part: &str, shape: &[usize]| {
        reader.tensor(&format!("model.layers.{layer}.{part}.weight"), shape)
    };
    let turned = |part: &str, (rows, columns): (usize, usize)| -> Result<Tensor, Error> {
        Ok(read(part, &[rows, columns])?.t()?.contiguous()?)
    };
    let beside = |parts: &[&str], shape| -> Result<Tensor, Error> {
        let matrices = parts.iter().map(|part| turned(part, shape));
        let matrices = matrices.collect::<Result<Vec<_>, _>>()?;
        Ok(Tensor::cat(&matrices, 1)?.contiguous()?)
    };
    Ok(Block {
        attention_norm: read("input_layernorm", &[width])?,
        attention_in: beside(
            &["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
            (width, width),
        )?,
        attention_out: beside(&["self_attn.o_proj"], (width, width))?,
        hidden_norm: read("post_attention_layernorm", &[width])?,
        hidden_in: beside(&["mlp.gate_proj", "mlp.up_proj"], (hidden, width))?,
        hidden_out: beside(&["mlp.down_proj"], (width, hidden))?,
    })
}

#[cfg(test)]
mod tests;
