//! The command line as it is written. What it means is decided in `commands`.

use std::path::PathBuf;

use attentive_data::{Format, TextFormat, UnknownLabels};
use clap::{Args, Parser, Subcommand};

/// Trains text classifiers from config files.
#[derive(Debug, Parser)]
#[command(name = "attentive", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) talk: Talk,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How much is told on stderr; stdout carries results only.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Talk {
    /// Tell nothing but errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Tell more: every checkpoint, every logged step
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a classifier on the shipped dataset
    Quickstart(Quickstart),
    /// Train a classifier: config in, run directory out
    Train(Train),
    /// Continue a run exactly where it stopped
    Resume(Resume),
    /// Measure a trained classifier
    Evaluate(Evaluate),
    /// Classify texts from arguments, a file, or stdin
    Predict(Predict),
    /// Show a model layer by layer: output shapes, parameters, memory
    Inspect(Inspect),
    /// Report on a config and its data, without training: sizes, lengths, and what is wrong with them
    Check(Check),
    /// Show how a tokenizer cuts texts into pieces, with their ids
    Tokenize(Tokenize),
    /// Write a config that fits a file of labelled texts
    Init(Init),
    /// Write a config that fits a file of labelled texts, and train by it
    Quick(Quick),
    /// Check every file of a run or bundle, and whether it comes out the same here: of a run the first steps, trained
    /// again, of a bundle its examples
    Verify(Verify),
    /// Write a trained classifier in a format that others read
    Export(Export),
    /// Make a run of a model that Keras trained, to train on here
    Import(Import),
    /// Show what this build can run on, and what it found
    Devices,
    /// Print the JSON Schema of the config, for editors
    Schema {
        /// Print the config reference as Markdown instead
        #[arg(long)]
        markdown: bool,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Quickstart {
    /// Compute on this backend
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// Keep the run here instead of in runs/quickstart
    #[arg(long, value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
    /// Replace the run that is there
    #[arg(long)]
    pub(crate) overwrite: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Train {
    /// The config file
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) set: Set,
    /// Compute on this backend, whatever the config says
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// Keep the run here instead of in runs/NAME
    #[arg(long, value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
    /// Go on with the run that is there
    #[arg(long, conflicts_with = "overwrite")]
    pub(crate) resume: bool,
    #[command(flatten)]
    pub(crate) allow: Allow,
    /// Replace the run that is there
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Cross-validate: train K classifiers, each tested on the K-th part of the training file that it does not see
    #[arg(long, value_name = "K")]
    pub(crate) folds: Option<u32>,
    /// Print the resolved config, every default written out, and stop
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Set a key of the config, such as `train.batch_size=64`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The run directory
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) allow: Allow,
}

#[derive(Debug, Args)]
pub(crate) struct Allow {
    /// Go on although this has changed: a key of the config, `data`, `tokenizer`, `labels`, `start` (the
    /// weights it started from), `linear` or `build`. It is recorded
    #[arg(long = "allow-changed", value_name = "FIELD")]
    pub(crate) changed: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The run directory, or a bundle
    pub(crate) run: PathBuf,
    /// What to write
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    /// Where to write it; there must be nothing yet
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// Compute the expected probabilities on this backend
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// Precision of the weights (bundle, safetensors) [default: f32]
    #[arg(long, value_enum, value_name = "TYPE")]
    pub(crate) dtype: Option<Dtype>,
    /// Of `bundle` and `safetensors`, leave out the tokens that no text of the run's data uses; they are unknown words then
    #[arg(long)]
    pub(crate) prune_vocabulary: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExportFormat {
    /// A directory that `predict`, `evaluate`, `inspect` and `verify` take instead of a run
    Bundle,
    /// A directory for Python: the weights, a config in the style of Hugging Face, and a PyTorch module
    Safetensors,
    /// One file with the whole model, for any ONNX runtime
    Onnx,
    /// A model that Keras 3 loads and trains on, .keras or .weights.h5: for `attention.dot` and `attention.none`
    Keras,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Dtype {
    /// 32 bits, as they are trained
    F32,
    /// IEEE half precision
    F16,
    /// 16 bits with the range of 32
    Bf16,
    /// 8 bits for tables and linear layers, with a scale for each row or output
    Int8,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// What Keras 3 saved: MODEL.keras, or the weights alone, MODEL.weights.h5
    pub(crate) model: PathBuf,
    /// The config that names the data; what the model decides, such as its layers and its optimizer, the model says
    #[arg(long, value_name = "CONFIG")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) set: Set,
    /// The run directory to make
    #[arg(long, short, value_name = "RUN")]
    pub(crate) output: PathBuf,
    /// For a model without TextVectorization, the tokenizer that made its ids: a tokenizer.json, or a .txt with one token a
    /// line, as `TextVectorization.get_vocabulary()` gives them
    #[arg(long, value_name = "FILE")]
    pub(crate) tokenizer: Option<PathBuf>,
    /// The labels in the order of their classes in Keras, such as `no,yes`; else numbers by size, words by alphabet
    #[arg(long, value_name = "LABEL", value_delimiter = ',')]
    pub(crate) classes: Vec<String>,
    /// Compute on this backend, whatever the config says
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// The run directory, or a bundle
    pub(crate) run: PathBuf,
    /// The split of the run's data to measure on
    #[arg(long, value_enum, default_value_t = SplitName::Test, conflicts_with = "data")]
    pub(crate) split: SplitName,
    /// Measure on this file instead, laid out like the training file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,
    /// How that file is laid out, where the training file is laid out otherwise: `csv`, `tsv`, `jsonl`, or another value of
    /// `data.format`
    #[arg(long, value_name = "NAME", requires = "data")]
    pub(crate) format: Option<Format>,
    /// What happens to labels of that file that the classifier does not know: `fail`, or `drop` to leave them out [default:
    /// `data.unknown_labels`]
    #[arg(long, value_name = "WHAT", requires = "data")]
    pub(crate) unknown_labels: Option<UnknownLabels>,
    /// Compute on this backend
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// Print the metrics as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SplitName {
    Train,
    Validation,
    Test,
}

#[derive(Debug, Args)]
pub(crate) struct Predict {
    /// The run directory, or a bundle
    pub(crate) run: PathBuf,
    /// The texts; stdin, one text a line, when there is neither TEXT nor --input
    #[arg(conflicts_with = "input")]
    pub(crate) text: Vec<String>,
    /// Read the texts from a file, as training reads it; a .txt file may also hold one text a line. `-` is stdin, laid out like the
    /// training file
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// The column of the text in the input, by name or by number counted from 0; two, as `--text a,b`, for pairs of texts
    #[arg(long = "text", value_name = "COLUMN", value_delimiter = ',', conflicts_with = "text")]
    pub(crate) columns: Vec<String>,
    /// How the input is laid out, where the training file is laid out otherwise: `lines` for one text a line, `csv`, `tsv`,
    /// `jsonl`, or another value of `data.format`
    #[arg(long, value_name = "NAME", conflicts_with = "text")]
    pub(crate) format: Option<TextFormat>,
    /// Answer each row of stdin as it comes, for a program that waits for the answer, instead of some hundred together
    #[arg(long, conflicts_with_all = ["text", "input"])]
    pub(crate) stream: bool,
    /// Write the predictions to a .csv, .tsv, .jsonl, .json or .txt file, perhaps with .gz or .zst behind it; `-` is stdout, in the
    /// format of the input
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Compute on this backend
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// Print JSON Lines with the probabilities of all labels
    #[arg(long)]
    pub(crate) json: bool,
    /// Add a column with the probability of each label to CSV and TSV
    #[arg(long)]
    pub(crate) probabilities: bool,
    /// What to do with a row that cannot be used
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = OnError::Fail)]
    pub(crate) on_error: OnError,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OnError {
    /// Write an error in its place, and go on
    Skip,
    /// End with an error
    Fail,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A config file, a run directory, or a bundle
    pub(crate) target: PathBuf,
    #[command(flatten)]
    pub(crate) set: Set,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The run directory, or a bundle
    pub(crate) run: PathBuf,
    /// Of a run, train so many steps again; else up to the first whose weights the run logged, which is `train.log_every`
    #[arg(long, value_name = "N")]
    pub(crate) steps: Option<u64>,
    /// Compute on this backend
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The config file
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) set: Set,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The training examples: a file, or a folder with one folder of .txt files per label
    pub(crate) data: PathBuf,
    /// The column of the text, by name or by number counted from 0; two, as `--text a,b`, for pairs of texts
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) text: Vec<String>,
    /// The column of the label, by name or by number counted from 0
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label: Option<String>,
    /// The file for the final figure, laid out like DATA
    #[arg(long, value_name = "FILE")]
    pub(crate) test: Option<PathBuf>,
    /// The file to measure on after each epoch, laid out like DATA; else a tenth of DATA is cut off for it
    #[arg(long, value_name = "FILE")]
    pub(crate) validation: Option<PathBuf>,
    /// The name of the run; else that of the data
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Write the config here instead of to NAME.toml; `-` is stdout
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Quick {
    #[command(flatten)]
    pub(crate) init: Init,
    #[command(flatten)]
    pub(crate) set: Set,
    /// Compute on this backend
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// Keep the run here instead of in runs/NAME
    #[arg(long, value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
    /// Replace the config and the run that are there
    #[arg(long)]
    pub(crate) overwrite: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Tokenize {
    /// A config file, a run directory, or a tokenizer.json
    pub(crate) target: PathBuf,
    /// The texts; stdin, one text a line, when there is none
    pub(crate) text: Vec<String>,
    #[command(flatten)]
    pub(crate) set: Set,
    /// Print JSON Lines: the text, its tokens, their ids, what is unknown
    #[arg(long)]
    pub(crate) json: bool,
}
