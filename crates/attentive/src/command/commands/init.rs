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
    let (_, output) = config_file(args);
    if output.as_os_str() != "-" && output.exists() {
        return Err(Failure::Staging(StagingError::Exists { path: output }));
    }
    let file = write_config(args, "attentive init", false)?;
    match file {
        Some(file) => print(&format!("attentive check {file}\nattentive train {file}\n")),
        None => Ok(()),
    }
}

/// How a config begins that was written here, which alone may be replaced.
const WRITTEN: &str = "# Written by `attentive ";

/// Writes the config, and gives the name of its file as it is to be shown; `None` where it went to stdout. `command` is the
/// one that was typed, without its arguments. A file that holds this very config stays; `overwrite` replaces an earlier
/// config, and nothing else: neither the data nor what somebody else wrote.
pub(super) fn write_config(args: &Init, command: &str, overwrite: bool) -> Result<Option<String>, Failure> {
    let named = [Some(&args.data), args.validation.as_ref(), args.test.as_ref()];
    if let Some(path) = named.into_iter().flatten().find(|path| path.to_str().is_none()) {
        return Err(Failure::FileName { path: path.clone() });
    }
    let (name, output) = config_file(args);
    let to_stdout = output.as_os_str() == "-";
    let wishes = Wishes {
        text: args.text.clone(),
        label: args.label.clone(),
        validation: args.validation.clone(),
        test: args.test.clone(),
    };
    let found = sniff(&args.data, &wishes).map_err(Failure::Sniffed)?;
    let command = format!("{command}{}", typed(args));
    let file = if to_stdout { format!("{name}.toml") } else { recipe::on_one_line(&output.display().to_string()) };
    let config = recipe::config(&name, &command, &file, &found);
    if to_stdout {
        return print(&config).map(|()| None);
    }
    if output.exists() {
        let there = std::fs::read(&output).unwrap_or_default();
        if there != config.as_bytes() {
            if !overwrite || !there.starts_with(WRITTEN.as_bytes()) {
                return Err(Failure::Staging(StagingError::Exists { path: output }));
            }
            // At the last moment: what is there is replaced only by something that is whole.
            let _ = std::fs::remove_file(&output);
            write(&output, &config)?;
        }
    } else {
        write(&output, &config)?;
    }
    tell(&format!(
        "{}  {} examples, {} labels, written to `{file}`",
        Style::for_stderr().strong(&name),
        count(found.examples as u64),
        found.labels.len()
    ));
    if let Some(guess) = guess(&found) {
        tell(&guess);
    }
    Ok(Some(file))
}

/// The name of the run, and the file that the config is written to.
pub(super) fn config_file(args: &Init) -> (String, PathBuf) {
    let name = args.name.clone().unwrap_or_else(|| name_of(&args.data));
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
    (name, output)
}

/// The arguments as they were typed, but for the place of the config.
fn typed(args: &Init) -> String {
    let shown = |path: &Path| recipe::on_one_line(&path.display().to_string());
    let mut line = format!(" {}", shown(&args.data));
    if !args.text.is_empty() {
        line.push_str(&format!(" --text {}", recipe::on_one_line(&args.text.join(","))));
    }
    if let Some(label) = &args.label {
        line.push_str(&format!(" --label {}", recipe::on_one_line(label)));
    }
    for (option, path) in [("test", &args.test), ("validation", &args.validation)] {
        line.push_str(&path.as_ref().map_or(String::new(), |path| format!(" --{option} {}", shown(path))));
    }
    line + &args.name.as_ref().map_or(String::new(), |name| format!(" --name {}", recipe::on_one_line(name)))
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
