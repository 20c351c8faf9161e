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
    let job = Job { rows, examples, settings, stop };
    let mut solution = Solution {
        weights: Weights { weights: vec![0.0; rows.n_columns() * n_labels], bias: vec![0.0; n_labels] },
        objectives: vec![0.0; n_labels],
        passes: 0,
    };
    if n_labels == 2 && matches!(examples.targets, Targets::One(_)) {
        let solved = job.solve::<1>(&[1])?;
        solution.keep(&solved, |row, solved| row.copy_from_slice(&[-0.5 * solved[0] as f32, 0.5 * solved[0] as f32]));
        solution.objectives = solved.objectives.to_vec();
        return Ok(solution);
    }
    // Labels that are about as frequent leave out about as many examples: they share visits.
    let mut labels = (0..n_labels as u32).collect::<Vec<_>>();
    let counts = examples.counts();
    labels.sort_by_key(|&label| (counts[label as usize], label));
    // Two groups at least, for two cores. Which labels are together must depend on nothing else.
    let groups = labels.chunks(n_labels.div_ceil(2).min(MOST_LANES)).collect::<Vec<_>>();
    match groups[0].len() {
        1 => job.solve_groups::<1>(&groups, &mut solution)?,
        2 => job.solve_groups::<2>(&groups, &mut solution)?,
        3..=4 => job.solve_groups::<4>(&groups, &mut solution)?,
        _ => job.solve_groups::<MOST_LANES>(&groups, &mut solution)?,
    }
    Ok(solution)
}

/// What is to be solved.
struct Job<'a> {
    rows: &'a Rows,
    examples: &'a Examples<'a>,
    settings: &'a SolverSettings,
    stop: Stop<'a>,
}

impl Job<'_> {
    /// Solves groups of up to `L` labels, as many groups at once as there are threads.
    fn solve_groups<const L: usize>(&self, groups: &[&[u32]], solution: &mut Solution) -> Result<(), LinearError> {
        for groups in groups.chunks(rayon::current_num_threads()) {
            let solved = groups.par_iter().map(|labels| self.solve::<L>(labels)).collect::<Result<Vec<_>, _>>()?;
            for (labels, solved) in groups.iter().zip(solved) {
                solution.keep(&solved, |row, solved| {
                    labels.iter().zip(solved).for_each(|(&label, &weight)| row[label as usize] = weight as f32);
                });
                let objectives = labels.iter().zip(solved.objectives);
                objectives.for_each(|(&label, objective)| solution.objectives[label as usize] = objective);
            }
        }
        Ok(())
    }

    /// Solves up to `L` labels at once. A lane without a label costs nothing.
    fn solve<const L: usize>(&self, labels: &[u32]) -> Result<Solved<L>, LinearError> {
        let each = |number: &dyn Fn(usize, u32) -> f64| -> Vec<Lanes<L>> {
            let lanes =
                |example| std::array::from_fn(|lane| labels.get(lane).map_or(0.0, |&label| number(example, label)));
            (0..self.rows.len()).map(lanes).collect()
        };
        let has = |example, label| if self.examples.has(example, label) { 1.0 } else { 0.0 };
        let cost = |example, label| {
            self.settings.c() * self.examples.weight(example, label) * (2.0 * has(example, label) - 1.0)
        };
        let scales = self.settings.naive_bayes.then(|| {
            let ratios = ratios(self.rows, &each(&has));
            ratios.into_iter().map(|ratios| ratios.map(|ratio| ratio * ratio)).collect()
        });
        let problems = Problems { rows: self.rows, loss: self.settings.loss, costs: each(&cost), scales };
        problems.solve(self.settings, self.stop)
    }
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
