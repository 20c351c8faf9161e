//! One weight vector per label from examples in rows.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::dual::{Problems, Solved};
use crate::error::{LinearError, Stop};
use crate::examples::{Examples, Targets};
use crate::lanes::Lanes;
use crate::ratios::ratios;
use crate::rows::Rows;
use crate::settings::SolverSettings;

/// Most labels that are solved together: their weights of a feature are one cache line.
const MOST_LANES: usize = 8;

/// What was learned: a text's logits are `bias + row · weights`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// `[features, labels]`, row by row.
    pub weights: Vec<f32>,
    /// `[labels]`.
    pub bias: Vec<f32>,
}

/// How a solution was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// What was learned.
    pub weights: Weights,
    /// The minimum of each label that was found; one for both of two labels that exclude each other.
    pub objectives: Vec<f64>,
    /// Most passes through the examples that a label took.
    pub passes: usize,
}

/// Minimises the objective of every label against the rest (see [`SolverSettings`]), several labels at once and on all cores.
/// The bits of the result depend on the rows, the examples and the settings alone.
///
/// Of two labels that exclude each other one problem is solved, and each has half of its weights, one with the opposite sign,
/// so that softmax of the two logits is the logistic function of the decision.
///
/// # Errors
/// [`LinearError::Setting`], [`LinearError::Count`], [`LinearError::Label`], [`LinearError::NoTexts`],
/// [`LinearError::Stopped`].
pub fn solve(rows: &Rows, examples: &Examples, settings: &SolverSettings, stop: Stop) -> Result<Solution, LinearError> {
    settings.check()?;
    examples.check(rows.len())?;
    let n_labels = examples.n_labels;
    let one_decides = n_labels == 2 && matches!(examples.targets, Targets::One(_));
    let mut solution = Solution {
        weights: Weights { weights: vec![0.0; rows.n_columns() * n_labels], bias: vec![0.0; n_labels] },
        objectives: vec![0.0; if one_decides { 1 } else { n_labels }],
        passes: 0,
    };
    if one_decides {
        let solved = solve_labels::<1>(rows, examples, &[1], settings, stop)?;
        solution.keep(&solved, |row, solved| row.copy_from_slice(&[-0.5 * solved[0] as f32, 0.5 * solved[0] as f32]));
        solution.objectives.copy_from_slice(&solved.objectives);
        return Ok(solution);
    }
    // Two groups at least, for two cores; which labels are in one depends on nothing else.
    let size = n_labels.div_ceil(2).min(MOST_LANES);
    // Labels that are about as frequent leave out about as many examples: they share visits.
    let mut labels = (0..n_labels as u32).collect::<Vec<_>>();
    let counts = examples.counts();
    labels.sort_by_key(|&label| (counts[label as usize], label));
    match size {
        1 => solve_groups::<1>(rows, examples, &labels, settings, stop, &mut solution)?,
        2 => solve_groups::<2>(rows, examples, &labels, settings, stop, &mut solution)?,
        3..=4 => solve_groups::<4>(rows, examples, &labels, settings, stop, &mut solution)?,
        _ => solve_groups::<MOST_LANES>(rows, examples, &labels, settings, stop, &mut solution)?,
    }
    Ok(solution)
}

/// Solves all labels, up to `L` at once, and as many groups of them at once as there are threads.
fn solve_groups<const L: usize>(
    rows: &Rows,
    examples: &Examples,
    labels: &[u32],
    settings: &SolverSettings,
    stop: Stop,
    solution: &mut Solution,
) -> Result<(), LinearError> {
    let size = labels.len().div_ceil(labels.len().div_ceil(L).max(2.min(labels.len())));
    let groups = labels.chunks(size).collect::<Vec<_>>();
    for groups in groups.chunks(rayon::current_num_threads()) {
        let solved = groups.par_iter().map(|labels| solve_labels::<L>(rows, examples, labels, settings, stop));
        for (labels, solved) in groups.iter().zip(solved.collect::<Result<Vec<_>, _>>()?) {
            solution.keep(&solved, |row, solved| {
                labels.iter().zip(solved).for_each(|(&label, &weight)| row[label as usize] = weight as f32);
            });
            let objectives = labels.iter().zip(solved.objectives);
            objectives.for_each(|(&label, objective)| solution.objectives[label as usize] = objective);
        }
    }
    Ok(())
}

/// Solves up to `L` labels at once. A lane without a label costs nothing and is solved at once.
fn solve_labels<const L: usize>(
    rows: &Rows,
    examples: &Examples,
    labels: &[u32],
    settings: &SolverSettings,
    stop: Stop,
) -> Result<Solved<L>, LinearError> {
    let each = |number: &dyn Fn(usize, u32) -> f64| -> Vec<Lanes<L>> {
        let lanes = |example| std::array::from_fn(|lane| labels.get(lane).map_or(0.0, |&label| number(example, label)));
        (0..rows.len()).map(lanes).collect()
    };
    let has = |example, label| if examples.has(example, label) { 1.0 } else { 0.0 };
    let costs =
        each(&|example, label| settings.c() * examples.weight(example, label) * (2.0 * has(example, label) - 1.0));
    let scales = settings.naive_bayes.then(|| {
        let ratios = ratios(rows, &each(&has));
        ratios.into_iter().map(|ratios| ratios.map(|ratio| ratio * ratio)).collect()
    });
    Problems { rows, loss: settings.loss, costs, scales }.solve(settings, stop)
}

impl Solution {
    /// Puts what was solved in its place in every row of the weights.
    fn keep<const L: usize>(&mut self, solved: &Solved<L>, put: impl Fn(&mut [f32], &Lanes<L>)) {
        let n_labels = self.weights.bias.len();
        self.passes = self.passes.max(solved.passes);
        let rows = self.weights.weights.chunks_exact_mut(n_labels).zip(&solved.weights.features);
        rows.for_each(|(row, solved)| put(row, solved));
        put(&mut self.weights.bias, &solved.weights.bias);
    }
}
