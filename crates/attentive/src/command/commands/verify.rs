//! `attentive verify`: whether every file of a run is what it should be, and whether its first steps come out the same again.

use std::fs;

use attentive::SavedClassifier;
use attentive_bundle::Bundle;
use attentive_data::cache_dir;
use attentive_train::{Callbacks, Event, FileFinding, Replay, Replayed, StagedDirectory, StagingError, verify_files};

use super::opening::open_machine;
use super::preparing::told;
use super::signals::Signals;
use crate::args::{Talk, Verify};
use crate::failure::Failure;
use crate::output::{print, tell};
use crate::progress::Progress;
use crate::style::Style;
use crate::table::{ResultTable, bytes, count};

pub(super) fn verify(args: &Verify, talk: Talk) -> Result<(), Failure> {
    let run = match SavedClassifier::open(&args.run)? {
        SavedClassifier::Run(run) => run,
        SavedClassifier::Bundle(bundle) => return verify_bundle(args, *bundle),
    };
    let machine = open_machine(args.backend.as_deref(), &run.config()?)?;
    let findings = verify_files(&run, &machine.device)?;
    print(&table_of_files(&findings))?;
    let mut wrong = findings.iter().filter(|finding| finding.result.is_err()).count();
    if wrong == 0 {
        let signals = Signals::listen()?;
        let is_that_of_the_run = machine.is_that_of(&run)?;
        let replay = told(talk, &signals, |preparing| Replay::prepare(run, args.steps, machine, preparing))?;
        if !is_that_of_the_run {
            tell("note: the run was made by another build, or on another backend: see its `versions.json`");
        }
        signals.hold(); // the scratch run is to be removed
        let scratch = scratch()?;
        let mut progress = Progress::new(talk, replay.setup().config());
        if !talk.quiet {
            let machine = replay.setup().machine();
            tell(&format!(
                "training the first {} steps again, on {} ({})",
                count(replay.steps()),
                machine.backend,
                machine.description
            ));
        }
        let mut on_event = |event: &Event| {
            // Where its checkpoints go is nobody's business.
            if !matches!(event, Event::Saved { .. }) {
                progress.show(event);
            }
        };
        let mut callbacks = Callbacks { on_event: &mut on_event, request: &|| signals.request() };
        let result = replay.fit(scratch.path(), &mut callbacks);
        progress.clear();
        drop(scratch);
        let replayed = match (result?, signals.release()) {
            (Some(replayed), None) => replayed,
            (_, signal) => {
                let run = args.run.display().to_string();
                return Err(Failure::InterruptedVerification { signal: signal.unwrap_or_default(), run });
            }
        };
        print(&format!("\n{}", table_of_steps(&replayed)))?;
        wrong = replayed.iter().filter(|line| line.difference.is_some()).count();
    }
    match wrong {
        0 => print("\neverything is as it should be\n"),
        wrong => Err(Failure::Verification { run: args.run.display().to_string(), wrong }),
    }
}

/// Every file of a bundle was verified when it was machine; what remains is whether it computes the same here.
fn verify_bundle(args: &Verify, bundle: Bundle) -> Result<(), Failure> {
    let mut table = ResultTable::of_words(2, &["file", "found"]);
    for (name, length, sha256) in bundle.files() {
        let hash = sha256.get(..12).unwrap_or(sha256);
        table.row([name.to_string(), format!("intact, {}, sha256 {hash}", bytes(length))]);
    }
    print(&table.render())?;
    let classifier = SavedClassifier::Bundle(Box::new(bundle));
    let (predictor, machine) = classifier.load(args.backend.as_deref())?;
    let SavedClassifier::Bundle(bundle) = classifier else { return Ok(()) };
    let verified = bundle.verify(&predictor)?;
    print(&format!(
        "\n{} examples come out the same on {} ({}), within {:.1e}\n\neverything is as it should be\n",
        count(verified.n as u64),
        machine.backend,
        machine.description,
        verified.largest
    ))
}

/// A directory for a run that goes away, in the cache directory: the run that is verified is not written to. It never gets
/// the name that it asks for.
fn scratch() -> Result<StagedDirectory, Failure> {
    let cache = cache_dir();
    let made = fs::create_dir_all(&cache).map_err(|source| StagingError::Io { path: cache.clone(), source });
    Ok(made.and_then(|()| StagedDirectory::new(&cache.join("verify")))?)
}

fn table_of_files(findings: &[FileFinding]) -> String {
    let style = Style::for_stdout();
    let mut table = ResultTable::of_words(2, &["file", "found"]);
    for FileFinding { what, result } in findings {
        let found = match result {
            Ok(found) => found.clone(),
            Err(reason) => format!("{} {reason}", style.error("wrong:")),
        };
        table.row([what.clone(), found]);
    }
    table.render()
}

fn table_of_steps(replayed: &[Replayed]) -> String {
    let style = Style::for_stdout();
    let mut table = ResultTable::of_words(4, &["step", "loss", "weights", "trained again"]);
    for line in replayed {
        let again = match &line.difference {
            None => "the same".to_string(),
            Some((key, was, is)) => format!("{} `{key}` was {was}, is {is}", style.error("differs:")),
        };
        let weights = line.weights_sha256.as_deref().map_or("", |hash| hash.get(..12).unwrap_or(hash));
        let loss = if line.loss.is_nan() { String::new() } else { format!("{:.6}", line.loss) };
        table.row([count(line.step), loss, weights.to_string(), again]);
    }
    table.render()
}
