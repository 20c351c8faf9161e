//! `attentive train` and `attentive resume`.

use std::path::{Path, PathBuf};

use attentive_backend::{Backend, BackendError, Opened};
use attentive_data::Split;
use attentive_train::{Config, LockedRun, Outcome, Prepared, Report, RunDir, TrainError, Watch, fit, prepare, summary};
use serde_json::json;

use super::signals::Signals;
use super::{load_config, open_device};
use crate::args::{Resume, Talk, Train};
use crate::failure::Failure;
use crate::output::{print, tell};
use crate::progress::Progress;
use crate::style::Style;
use crate::table::{Table, count, percent, range};

/// Everything that can be wrong is found before anything is created: config, place, device, data, in this order.
pub(super) fn train(args: &Train, talk: Talk) -> Result<(), Failure> {
    let mut config = load_config(&args.config, &args.set.set)?;
    if let Some(name) = &args.backend {
        if name != "auto" && !Backend::names().contains(&name.as_str()) {
            return Err(Failure::Backend(BackendError::Unknown { name: name.clone() }));
        }
        config.backend.clone_from(name);
    }
    if args.dry_run {
        return print(&config.to_toml());
    }
    let path = args.run_dir.clone().unwrap_or_else(|| PathBuf::from("runs").join(&config.name));
    if args.resume {
        return go_on(RunDir::open(&path)?, Some(config), talk);
    }
    RunDir::check_free(&path, args.overwrite)?;
    let opened = open_device(None, &config)?;
    config.backend = opened.backend.name().to_string();
    let prepared = prepare(&config)?;
    let run = RunDir::create(&path, args.overwrite)?;
    run.describe(&config, &versions(&opened), &prepared.labels, &prepared.encoder, &prepared.account)?;
    train_run(&run, &config, &prepared, &opened, talk)
}

pub(super) fn resume(args: &Resume, talk: Talk) -> Result<(), Failure> {
    go_on(RunDir::open(&args.run)?, None, talk)
}

/// Goes on with a run, with its own config or one that asks for the same.
fn go_on(run: RunDir, config: Option<Config>, talk: Talk) -> Result<(), Failure> {
    let own = run.config(&Backend::names())?;
    let mut config = config.unwrap_or_else(|| own.clone());
    config.name.clone_from(&own.name);
    if config.backend == "auto" {
        config.backend.clone_from(&own.backend);
    }
    let differences = config.differences(&own);
    if !differences.is_empty() {
        let what = format!("config ({})", differences.join(", "));
        return Err(TrainError::Changed { path: run.path().to_path_buf(), what }.into());
    }
    let run = run.lock()?;
    let opened = open_device(None, &config)?;
    let prepared = prepare(&config)?;
    if config != own {
        run.write_config(&config)?;
    }
    train_run(&run, &config, &prepared, &opened, talk)
}

fn train_run(
    run: &LockedRun,
    config: &Config,
    prepared: &Prepared,
    opened: &Opened,
    talk: Talk,
) -> Result<(), Failure> {
    if !talk.quiet {
        introduce(config, prepared, opened);
    }
    let signals =
        Signals::listen().map_err(|source| Failure::Output { name: "signal handlers".to_string(), source })?;
    let mut progress = Progress::new(talk, config);
    let outcome = fit(
        run,
        config,
        prepared,
        &opened.device,
        &mut Watch { observer: &mut |event| progress.show(event), interrupted: &|| signals.received().is_some() },
    );
    progress.clear();
    match outcome? {
        Outcome::Finished(report) => {
            if !talk.quiet {
                tell(""); // a line of its own between the progress and the results, and none before the results alone
            }
            print(&final_table(run.path(), config, &report))
        }
        Outcome::Interrupted { step } => Err(Failure::Interrupted {
            signal: signals.received().unwrap_or_default(),
            run: run.path().display().to_string(),
            step,
        }),
    }
}

/// What is about to be trained, on what, and what is noteworthy about the data.
fn introduce(config: &Config, prepared: &Prepared, opened: &Opened) {
    let style = Style::for_stderr();
    let splits = [Split::Train, Split::Validation, Split::Test]
        .into_iter()
        .filter_map(|name| Some(format!("{} {name}", count(prepared.split(name)?.targets.len() as u64))))
        .collect::<Vec<_>>()
        .join(", ");
    let n_labels = prepared.labels.len();
    let kind = if config.data.multi_label { "any number a text" } else { "one a text" };
    let kind = if config.data.text.is_pair() { kind.replace("text", "pair of texts") } else { kind.to_string() };
    tell(&format!("{}  {splits} examples, {n_labels} labels, {kind}", style.strong(&config.name)));
    let seconds =
        prepared.account.encoding_seconds.iter().map(|(split, stats)| (format!("{split}, second text"), stats));
    let encoding = prepared.account.encoding.iter().map(|(split, stats)| (split.to_string(), stats));
    for (split, stats) in encoding.chain(seconds) {
        tell(&format!(
            "  {split}: {:.1} tokens a text on average, {} of texts truncated, {} of tokens unknown",
            stats.mean_length,
            percent(stats.truncated),
            percent(stats.unknown)
        ));
    }
    let left_out = super::left_out::left_out(&prepared.account.manifest);
    for line in left_out.into_iter().chain(super::check::findings(&prepared.account.findings)) {
        tell(&format!("  {} {line}", style.hint("note:")));
    }
    if let (Some(coverage), Some(path)) = (&prepared.account.vectors, &config.model.embedding.vectors) {
        tell(&format!(
            "  pretrained vectors of `{}`: {} of {} tokens of the vocabulary, {} of the tokens of the training texts",
            path.display(),
            count(coverage.found as u64),
            count(coverage.vocab_size as u64),
            percent(coverage.of_tokens)
        ));
    }
    let summary = summary(config, prepared, &opened.device);
    tell(&format!(
        "  {} weights, vocabulary {}, on {} ({})",
        count(summary.parameters as u64),
        count(prepared.encoder.vocab_size() as u64),
        opened.backend,
        opened.description
    ));
}

/// The one table at the end.
fn final_table(run: &Path, config: &Config, report: &Report) -> String {
    let accuracy = if config.data.multi_label { "exact" } else { "accuracy" };
    let mut columns = vec!["split", "examples", "loss", accuracy, "95 % interval", "macro F1"];
    if config.data.multi_label {
        columns.push("micro F1");
    }
    columns.push("majority");
    let mut table = Table::new(&columns);
    for (split, metrics) in &report.splits {
        let interval = metrics.intervals.map_or(String::new(), |intervals| range(intervals.accuracy));
        let mut row = vec![
            split.to_string(),
            count(metrics.n),
            format!("{:.4}", metrics.loss),
            percent(metrics.accuracy),
            interval,
            percent(metrics.macro_avg.f1),
        ];
        if config.data.multi_label {
            row.push(percent(metrics.micro_avg.f1));
        }
        row.push(percent(metrics.majority.accuracy));
        table.row(row);
    }
    let chosen = match (config.data.validation.is_some(), config.train.average_best) {
        (false, _) => "the last",
        (true, 1) => "best on validation",
        (true, _) => "averaged with the next best on validation",
    };
    let run = run.display();
    let example = if config.data.text.is_pair() { "$'first text\\tsecond text'" } else { "\"some text\"" };
    format!(
        "{}\nweights after epoch {} of {} ({chosen}), sha256 {}\nrun `{run}`; next: `attentive predict {run} {example}`\n",
        table.render(),
        report.epoch,
        report.epochs_trained,
        &report.weights_sha256[..16.min(report.weights_sha256.len())],
    )
}

/// What made the run, for `versions.json`.
fn versions(opened: &Opened) -> serde_json::Value {
    let built: Vec<_> = Backend::ALL.into_iter().filter(|backend| backend.is_built()).map(Backend::name).collect();
    json!({
        "attentive": env!("CARGO_PKG_VERSION"),
        "git_revision": env!("ATTENTIVE_GIT_REVISION"),
        "burn": env!("ATTENTIVE_BURN_VERSION"),
        "features": built,
        "backend": opened.backend.name(),
        "device": opened.description,
    })
}
