//! A run from its config to its report, new or gone on with: what `train`, `resume` and the folds of a cross-validation
//! have in common. Prints no results.

use std::collections::BTreeMap;
use std::path::Path;

use attentive_backend::{Backend, Opened};
use attentive_data::{Split, SplitManifest};
use attentive_train::{
    Config, Elsewhere, Held, Job, LockedRun, Origin, Outcome, Prepared, Recovered, RunDir, StagingError, StartAccount,
    Started, TrainError, Watch, fit, summary,
};

use super::open_device;
use super::preparing::prepare_told;
use super::signals::Signals;
use crate::args::Talk;
use crate::failure::Failure;
use crate::output::tell;
use crate::progress::Progress;
use crate::style::Style;
use crate::table::{count, percent};

/// All that a new run needs; nothing is created yet.
pub(super) struct Plan {
    config: Config,
    prepared: Prepared,
    opened: Opened,
}

impl Plan {
    /// Opens the device and prepares the data, unless a signal stops it.
    pub(super) fn of(config: Config, talk: Talk, signals: &Signals) -> Result<Self, Failure> {
        Self::with(config, Held::default(), talk, signals)
    }

    /// The same without making or reading what is held.
    pub(super) fn with(mut config: Config, held: Held, talk: Talk, signals: &Signals) -> Result<Self, Failure> {
        let opened = open_device(None, &config)?;
        config.backend = opened.backend.name().to_string();
        let prepared = prepare_told(&config, held, talk, signals)?;
        Ok(Self { config, prepared, opened })
    }

    /// The config with what is known now.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// The data.
    pub(super) fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// Makes the run directory of what another program trained, to be gone on with. It is a run once it has all of it.
    pub(super) fn import(mut self, path: &Path, trained: Elsewhere, talk: Talk) -> Result<(), Failure> {
        self.prepared.note_elsewhere(&trained)?;
        if !talk.quiet {
            introduce(&self.config, &self.prepared, &self.opened);
        }
        let run = RunDir::create(path, false).map_err(taken)?;
        let made = self.begin_elsewhere(&run, trained).and_then(|()| self.describe(&run));
        if made.is_err() {
            run.give_up();
        }
        made
    }

    fn begin_elsewhere(&self, run: &LockedRun, trained: Elsewhere) -> Result<(), Failure> {
        let Self { config, prepared, opened } = self;
        let origin = prepared.origin(config, &build(opened));
        Ok(run.begin_elsewhere(&Job { config, prepared, origin: &origin, device: &opened.device }, trained)?)
    }

    /// Makes the run directory.
    pub(super) fn begin(self, path: &Path, overwrite: bool) -> Result<Sitting, Failure> {
        let run = RunDir::create(path, overwrite)?;
        self.describe(&run)?;
        let recovered = run.recover()?;
        let origin = self.prepared.origin(&self.config, &build(&self.opened));
        Ok(Sitting { run, plan: self, origin, recovered })
    }

    fn describe(&self, run: &LockedRun) -> Result<(), Failure> {
        let Prepared { labels, encoder, account, .. } = &self.prepared;
        Ok(run.describe(&self.config, &versions(&self.opened), labels, encoder, account)?)
    }
}

/// A run and all that it needs to train from where it stands.
pub(super) struct Sitting {
    run: LockedRun,
    plan: Plan,
    origin: Origin,
    recovered: Recovered,
}

impl Sitting {
    /// Goes on with a run, with its own config or another. What differs from what the run was made from is refused, but
    /// for what is `allowed` to and for more epochs.
    pub(super) fn again(
        run: RunDir,
        config: Option<Config>,
        allowed: &[String],
        talk: Talk,
        signals: &Signals,
    ) -> Result<Self, Failure> {
        let own = run.config(&Backend::names())?;
        let mut config = config.unwrap_or_else(|| own.clone());
        config.name.clone_from(&own.name);
        if config.backend == "auto" {
            config.backend.clone_from(&own.backend);
        }
        let run = run.lock()?;
        let mut recovered = run.recover()?;
        recovered.check(&run, &own, &config, allowed)?;
        let held = recovered.held(&run, &own, &config)?;
        let plan = Plan::with(config, held, talk, signals)?;
        let origin = plan.prepared.origin(&plan.config, &build(&plan.opened));
        recovered.accept(&run, &origin, allowed)?;
        if recovered.is_at_start() || recovered.is_changed() {
            plan.describe(&run)?;
        }
        Ok(Self { run, plan, origin, recovered })
    }

    /// The run directory.
    pub(super) fn path(&self) -> &Path {
        self.run.path()
    }

    /// What the run is asked to do.
    pub(super) fn config(&self) -> &Config {
        &self.plan.config
    }

    /// How the splits were made.
    pub(super) fn manifest(&self) -> &SplitManifest {
        &self.plan.prepared.account.manifest
    }

    /// Trains until the end or the first signal.
    pub(super) fn train(&mut self, talk: Talk, signals: &Signals) -> Result<Outcome, Failure> {
        let Plan { config, prepared, opened } = &self.plan;
        if !talk.quiet {
            introduce(config, prepared, opened);
        }
        signals.hold();
        let mut progress = Progress::new(talk, config);
        let outcome = fit(
            &self.run,
            &Job { config, prepared, origin: &self.origin, device: &opened.device },
            std::mem::take(&mut self.recovered),
            &mut Watch { observer: &mut |event| progress.show(event), request: &|| signals.request() },
        );
        progress.clear();
        Ok(outcome?)
    }
}

/// The failure when the place of a new run is taken by something that can be neither overwritten nor resumed.
pub(super) fn taken(error: TrainError) -> Failure {
    match error {
        TrainError::RunExists { path } => Failure::Staging(StagingError::Exists { path }),
        error => error.into(),
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
    let fold = config.data.fold.map_or(String::new(), |fold| format!(", fold {} of {}", fold.index, fold.of));
    tell(&format!("{}{fold}  {splits} examples, {n_labels} labels, {kind}", style.strong(&config.name)));
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
    if let Some(single) = prepared.account.findings.single_example_labels() {
        tell(&format!(
            "  {} {} of {} labels have a single training example, as ids have: `data.label = {:?}` may be the wrong column",
            style.warning("warning:"),
            count(single as u64),
            count(n_labels as u64),
            config.data.label.to_string()
        ));
    }
    let left_out = super::left_out::left_out(&prepared.account.manifest);
    for line in left_out.into_iter().chain(super::check::findings(&prepared.account.findings)) {
        tell(&format!("  {} {line}", style.hint("note:")));
    }
    if config.data.fold.is_some() && config.data.test.is_some() {
        let note = style.hint("note:");
        tell(&format!(
            "  {note} `data.test` is left aside: the test split is the part of `data.train` that the fold holds out"
        ));
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
    prepared.account.start.iter().for_each(started);
    let summary = summary(config, prepared, &opened.device);
    tell(&format!(
        "  {} weights, vocabulary {}, on {} ({})",
        count(summary.parameters as u64),
        count(prepared.encoder.vocab_size() as u64),
        opened.backend,
        opened.description
    ));
}

/// What `versions.json` says of what computes the run: the build, and the device as it is described to people.
pub(super) fn versions(opened: &Opened) -> BTreeMap<String, String> {
    let mut versions = build(opened);
    versions.insert("device".to_string(), opened.description.clone());
    versions
}

/// What computes the run, as far as its bits may depend on it: for every checkpoint. A GPU is named; the number of a CPU's
/// threads decides nothing.
pub(super) fn build(opened: &Opened) -> BTreeMap<String, String> {
    let built: Vec<_> = Backend::ALL.into_iter().filter(|backend| backend.is_built()).map(Backend::name).collect();
    let text = |(key, value): (&str, &str)| (key.to_string(), value.to_string());
    [
        ("attentive", env!("CARGO_PKG_VERSION")),
        ("git_revision", env!("ATTENTIVE_GIT_REVISION")),
        ("burn", env!("ATTENTIVE_BURN_VERSION")),
        ("features", &built.join(", ")),
        ("backend", opened.backend.name()),
    ]
    .into_iter()
    .chain(opened.name.as_deref().map(|name| ("device", name)))
    .map(text)
    .collect()
}

/// What is taken from another training, and what is not.
fn started(account: &StartAccount) {
    let weights = || account.weights.iter();
    let whole = weights().filter(|(_, started)| **started == Started::Whole).count();
    let hash = account.weights_sha256.get(..12).unwrap_or(&account.weights_sha256);
    tell(&format!(
        "  starts from `{}` (weights {hash}): {whole} of {} weights as they are",
        account.path.display(),
        count(account.weights.len() as u64)
    ));
    for (name, started) in weights() {
        match started {
            Started::Whole => {}
            Started::Rows { loaded, of, by } => {
                tell(&format!("    {name}: {} of {} rows, by {by}", count(*loaded as u64), count(*of as u64)));
            }
            Started::New { reason } => tell(&format!("    {name}: new, because {reason}")),
        }
    }
    account.unused.iter().for_each(|name| tell(&format!("    not used: {name}")));
}
