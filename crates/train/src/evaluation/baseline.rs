//! What a plain linear model reaches on the splits of a run: the figure that a classifier is to be judged beside. Words and pairs
//! of words, and n-grams of characters, weighted by TF-IDF, with a linear SVM (C = 0.4), one label against the rest: nothing is
//! chosen, and the model is not kept.

use attentive_data::{Split, Targets, Texts};
use attentive_linear::{
    Examples, FeatureSettings, Features, LinearError, LinearModel, SolverSettings, Targets as LinearTargets, solve,
};

use super::evaluate::task;
use crate::config::Config;
use crate::metrics::{BaselineFigures, Decision, Scored, Task};
use crate::preparation::Prepared;

/// More bytes of training texts than this are not read again for a figure of comparison.
const MAX_BYTES: usize = 8 << 20;

/// More labels than this would take minutes, each a model of its own.
const MAX_LABELS: usize = 300;

/// More weights than this are not held for it.
const MAX_WEIGHTS: usize = 32 << 20;

/// More features of texts times labels than this take longer than seconds.
const MAX_WORK: usize = 200_000_000;

/// So many texts have their logits in memory at once.
const AT_ONCE: usize = 4096;

/// The figures on every split; none where the config does not ask for them, the texts are pairs, texts or labels are too many, or
/// no n-gram occurs twice.
pub(crate) fn baseline(config: &Config, prepared: &Prepared) -> Option<Vec<(Split, BaselineFigures)>> {
    let train = &prepared.train.texts;
    let (is_pair, n_labels) = (config.data.text.is_pair(), prepared.labels.len());
    if !config.train.baseline || is_pair || n_labels > MAX_LABELS || is_long(train) {
        return None;
    }
    // A linear model says why it cannot be; here that only means that there is nothing to compare with.
    let model = fit(train, &prepared.train.targets, prepared.labels.len(), task(config)).ok()??;
    let splits = [Split::Train, Split::Validation, Split::Test];
    let splits = splits.into_iter().filter_map(|name| Some((name, prepared.split(name)?)));
    splits
        .map(|(name, split)| Some((name, measure(&model, &split.texts, &split.targets, prepared, task(config)).ok()?)))
        .collect()
}

/// Whether texts come to more than is read again.
fn is_long(texts: &Texts) -> bool {
    let mut bytes = 0;
    texts.iter().any(|text| {
        bytes += text.len();
        bytes > MAX_BYTES
    })
}

fn fit(texts: &Texts, targets: &Targets, n_labels: usize, task: Task) -> Result<Option<LinearModel>, LinearError> {
    let texts: Vec<&str> = texts.iter().collect();
    let one: Vec<u32> = targets.iter().flatten().copied().collect();
    let many: Vec<Vec<u32>> =
        if task == Task::Many { targets.iter().map(<[u32]>::to_vec).collect() } else { Vec::new() };
    let targets = if task == Task::Many { LinearTargets::Many(&many) } else { LinearTargets::One(&one) };
    let features = Features::fit(&texts, &FeatureSettings::default(), GO_ON)?;
    if features.len().saturating_mul(n_labels) > MAX_WEIGHTS {
        return Ok(None);
    }
    let rows = features.rows(&texts, GO_ON)?;
    if rows.n_stored().saturating_mul(n_labels) > MAX_WORK {
        return Ok(None);
    }
    let solver = SolverSettings::default();
    let weights = solve(&rows, &Examples::new(targets, n_labels), &solver, GO_ON)?.weights;
    LinearModel::new(features, weights).map(Some)
}

fn measure(
    model: &LinearModel,
    texts: &Texts,
    targets: &Targets,
    prepared: &Prepared,
    task: Task,
) -> Result<BaselineFigures, LinearError> {
    let texts: Vec<&str> = texts.iter().collect();
    let sigmoid = |logit: f32| 1.0 / (1.0 + (-logit).exp());
    let mut probabilities = Vec::with_capacity(texts.len() * model.n_labels());
    for texts in texts.chunks(AT_ONCE) {
        for logits in model.logits(texts, GO_ON)?.chunks_exact(model.n_labels()) {
            // Decisions follow from these as from probabilities: the largest, or those above one half.
            match (task, logits) {
                (Task::One, &[first, second]) => {
                    probabilities.extend([sigmoid(first - second), sigmoid(second - first)])
                }
                _ => probabilities.extend(logits.iter().copied().map(sigmoid)),
            }
        }
    }
    let scored = Scored::new(model.n_labels(), &probabilities, targets);
    let metrics = scored.metrics(prepared.labels.names(), &Decision::new(task), 0.0);
    Ok(BaselineFigures { accuracy: metrics.accuracy, macro_f1: metrics.macro_avg.f1, micro_f1: metrics.micro_avg.f1 })
}

/// It takes seconds, and the report is written with it or not at all.
const GO_ON: &(dyn Fn() -> bool + Sync) = &|| false;
