//! `attentive init`: a config for a file of labelled texts. What stands in it is decided in `recipe`.

use std::path::{Path, PathBuf};

use attentive_data::{Sniffed, Wishes, sniff};
use attentive_train::{StagedFile, StagingError};

use crate::args::Init;
use crate::failure::Failure;
use crate::output::{print, tell};
use crate::recipe;
use crate::style::Style;
use crate::table::count;

pub(super) fn init(args: &Init) -> Result<(), Failure> {
    let named = [Some(&args.data), args.validation.as_ref(), args.test.as_ref()];
    if let Some(path) = named.into_iter().flatten().find(|path| path.to_str().is_none()) {
        return Err(Failure::FileName { path: path.clone() });
    }
    let name = args.name.clone().unwrap_or_else(|| name_of(&args.data));
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
    let to_stdout = output.as_os_str() == "-";
    if !to_stdout && output.exists() {
        return Err(Failure::Staging(StagingError::Exists { path: output }));
    }
    let wishes = Wishes {
        text: args.text.clone(),
        label: args.label.clone(),
        validation: args.validation.clone(),
        test: args.test.clone(),
    };
    let found = sniff(&args.data, &wishes).map_err(Failure::Sniffed)?;
    let command = format!("attentive init {}", args.data.display());
    let file = if to_stdout { format!("{name}.toml") } else { recipe::on_one_line(&output.display().to_string()) };
    let config = recipe::config(&name, &command, &file, &found);
    if to_stdout {
        return print(&config);
    }
    write(&output, &config)?;
    tell(&format!(
        "{}  {} examples, {} labels, written to `{file}`",
        Style::for_stderr().strong(&name),
        count(found.examples as u64),
        found.labels.len()
    ));
    if let Some(guess) = guess(&found) {
        tell(&guess);
    }
    print(&format!("attentive check {file}\nattentive train {file}\n"))
}

/// Which columns were chosen by their values, if any were.
fn guess(found: &Sniffed) -> Option<String> {
    let columns = found.data.text.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
    let text = found.guessed.text.map(|_| format!("the text is {columns} (`--text` names another)"));
    let label = found.guessed.label.map(|_| format!("the label is `{}` (`--label` names another)", found.data.label));
    let guessed: Vec<String> = [text, label].into_iter().flatten().collect();
    (!guessed.is_empty()).then(|| recipe::on_one_line(&format!("guessed from the values: {}", guessed.join(", "))))
}

fn write(output: &Path, config: &str) -> Result<(), StagingError> {
    let staged = StagedFile::new(output)?;
    staged.write(config.as_bytes())?;
    staged.publish()
}

/// A name for the run from that of the data: `reviews/train.csv` is `reviews`, `reviews.csv` too.
fn name_of(data: &Path) -> String {
    let part = |path: &Path| {
        let stem = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stem = if path.is_dir() { stem } else { stem.split('.').next().unwrap_or_default().to_string() };
        let allowed = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        stem.chars().map(allowed).collect::<String>()
    };
    let own = part(data);
    let above = data.parent().map(part).unwrap_or_default();
    let says_nothing = ["train", "training", "data", "all"].contains(&own.as_str());
    let name = if says_nothing && !above.is_empty() { above } else { own };
    if name.chars().any(|c| c.is_ascii_alphanumeric()) { name } else { "config".to_string() }
}
