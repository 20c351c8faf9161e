//! Dual coordinate descent for up to `L` labels at once, each a problem of its own. The examples are visited in random order;
//! the one dual variable that each has is set to its best value, which moves the weights along the example's row. For the
//! squared hinge it is that of Hsieh et al. 2008 ("A dual coordinate descent method for large-scale linear SVM", with their
//! shrinking), for logistic regression that of Yu, Huang & Lin 2011 ("Dual coordinate descent methods for logistic regression
//! and maximum entropy models"). Unlike in liblinear, labels share every visit of a row.

use crate::error::{LinearError, Stop, check};
use crate::lanes::{Lanes, add};
use crate::rows::Rows;
use crate::settings::{Loss, SolverSettings};

/// The seed of the order in which examples are visited. Every order finds the optimum.
const SEED: u64 = 0x5eed;
/// Examples that cost less do not count.
const LEAST_COST: f64 = 1e-12;
/// Where the dual variables of logistic regression begin: near 0.
const FIRST_LOGIT: f64 = -7.0;
/// Most steps of Newton's method for one dual variable. Two or three are usual.
const MOST_NEWTON_STEPS: usize = 100;
/// To what gradient the dual variable of an example is solved at first, and at last, if the tolerance is not smaller.
const INNER: (f64, f64) = (1e-2, 1e-8);

/// The problems of `L` labels on the same examples.
pub(crate) struct Problems<'a, const L: usize> {
    pub(crate) rows: &'a Rows,
    pub(crate) loss: Loss,
    /// `[examples]`: what an example costs, with the sign of its target.
    pub(crate) costs: Vec<Lanes<L>>,
    /// `[features]`: the square of what each feature is multiplied by.
    pub(crate) scales: Option<Vec<Lanes<L>>>,
}

/// Solved problems.
pub(crate) struct Solved<const L: usize> {
    pub(crate) weights: Weights<L>,
    /// `½ |w|² + Σ cost · loss` of each.
    pub(crate) objectives: Lanes<L>,
    /// How often the examples were visited.
    pub(crate) passes: usize,
}

/// What is learned.
pub(crate) struct Weights<const L: usize> {
    /// `[features]`: the weights of the features as they are in the rows, which are not multiplied by the scales.
    pub(crate) features: Vec<Lanes<L>>,
    pub(crate) bias: Lanes<L>,
}

impl<const L: usize> Problems<'_, L> {
    /// Solves each problem until no gradient of a dual variable in a pass was further than `settings.tolerance` from another.
    ///
    /// # Errors
    /// [`LinearError::Stopped`].
    pub(crate) fn solve(&self, settings: &SolverSettings, stop: Stop) -> Result<Solved<L>, LinearError> {
        let lengths = (0..self.rows.len()).map(|example| self.length(example)).collect::<Vec<_>>();
        let mut weights = Weights { features: vec![[0.0; L]; self.rows.n_columns()], bias: [0.0; L] };
        let mut duals = self.first_duals(&mut weights);
        let counts = |example: &u32| self.costs[*example as usize].iter().any(|cost| cost.abs() >= LEAST_COST);
        let all = (0..self.rows.len() as u32).filter(counts).collect::<Vec<_>>();
        let mut visited = all.clone();
        let mut open = [true; L];
        // An example whose dual variable is 0 and whose gradient is beyond this one will hardly move: it is left out.
        let mut beyond = [f64::INFINITY; L];
        let mut inner = INNER.0;
        let mut random = SEED;
        let mut passes = 0;
        while passes < settings.max_passes {
            check(stop)?;
            passes += 1;
            shuffle(&mut visited, &mut random);
            let (mut highest, mut lowest) = ([0.0_f64; L], [0.0_f64; L]);
            let (mut place, mut moves) = (0, 0);
            while place < visited.len() {
                let example = visited[place] as usize;
                let decisions = self.decisions(&weights, example);
                let mut changes = [0.0; L];
                let mut stays = false;
                for l in (0..L).filter(|&l| open[l]) {
                    let cost = self.costs[example][l];
                    if cost.abs() < LEAST_COST {
                        continue;
                    }
                    let (sign, cost) = (cost.signum(), cost.abs());
                    let (dual, length) = (&mut duals[example][l], lengths[example][l]);
                    let moved = match self.loss {
                        Loss::SquaredHinge => dual.hinge(cost, sign * decisions[l], length, beyond[l]),
                        Loss::Logistic => Some(dual.logistic(cost, sign * decisions[l], length, inner)),
                    };
                    if let Some(Moved { gradient, by }) = moved {
                        stays = true;
                        highest[l] = highest[l].max(gradient);
                        lowest[l] = lowest[l].min(gradient);
                        changes[l] = sign * by;
                    }
                }
                if changes.iter().any(|&change| change != 0.0) {
                    moves += 1;
                    self.follow(&mut weights, example, changes);
                }
                if stays {
                    place += 1;
                } else {
                    visited.swap_remove(place);
                }
            }
            if moves <= visited.len() / 10 {
                inner = (0.1 * inner).max(INNER.1.min(0.1 * settings.tolerance));
            }
            let solved: [bool; L] = std::array::from_fn(|l| highest[l] - lowest[l] <= settings.tolerance);
            if visited.len() == all.len() {
                open = std::array::from_fn(|l| open[l] && !solved[l]);
                if !open.contains(&true) {
                    break;
                }
            }
            if (0..L).all(|l| !open[l] || solved[l]) {
                // Solved without those that were left out; now with them.
                visited.clone_from(&all);
                beyond = [f64::INFINITY; L];
            } else {
                beyond = highest.map(|highest| if highest > 0.0 { highest } else { f64::INFINITY });
            }
        }
        Ok(Solved { objectives: self.objectives(&weights), weights, passes })
    }

    /// The dual variables before the first pass, and the weights that follow from them.
    fn first_duals(&self, weights: &mut Weights<L>) -> Vec<[Dual; L]> {
        let start = |(example, costs): (usize, &Lanes<L>)| {
            let duals = costs.map(|cost| Dual::new(self.loss, cost.abs()));
            self.follow(weights, example, std::array::from_fn(|l| costs[l].signum() * duals[l].alpha));
            duals
        };
        self.costs.iter().enumerate().map(start).collect()
    }

    /// What is minimised.
    fn objectives(&self, weights: &Weights<L>) -> Lanes<L> {
        let mut sums = weights.bias.map(|bias| 0.5 * bias * bias);
        for (feature, weights) in weights.features.iter().enumerate() {
            let scales = self.scales(feature);
            for l in (0..L).filter(|&l| scales[l] > 0.0) {
                sums[l] += 0.5 * weights[l] * weights[l] / scales[l];
            }
        }
        for (example, costs) in self.costs.iter().enumerate() {
            let decisions = self.decisions(weights, example);
            for l in 0..L {
                sums[l] += costs[l].abs() * self.loss.of(costs[l].signum() * decisions[l]);
            }
        }
        sums
    }

    fn scales(&self, feature: usize) -> Lanes<L> {
        self.scales.as_ref().map_or([1.0; L], |scales| scales[feature])
    }

    /// The squared length of an example's row, with the bias.
    fn length(&self, example: usize) -> Lanes<L> {
        let mut length = [1.0; L];
        let (columns, values) = self.rows.row(example);
        for (&column, &value) in columns.iter().zip(values) {
            add(&mut length, f64::from(value) * f64::from(value), &self.scales(column as usize));
        }
        length
    }

    #[inline(always)]
    fn decisions(&self, weights: &Weights<L>, example: usize) -> Lanes<L> {
        let mut sum = weights.bias;
        let (columns, values) = self.rows.row(example);
        for (&column, &value) in columns.iter().zip(values) {
            add(&mut sum, f64::from(value), &weights.features[column as usize]);
        }
        sum
    }

    /// Moves the weights along the row of an example.
    #[inline(always)]
    fn follow(&self, weights: &mut Weights<L>, example: usize, changes: Lanes<L>) {
        add(&mut weights.bias, 1.0, &changes);
        let (columns, values) = self.rows.row(example);
        for (&column, &value) in columns.iter().zip(values) {
            let column = column as usize;
            let changes = match &self.scales {
                None => changes,
                Some(scales) => std::array::from_fn(|l| changes[l] * scales[column][l]),
            };
            add(&mut weights.features[column], f64::from(value), &changes);
        }
    }
}

/// The dual variable of an example, at least 0.
#[derive(Clone, Copy)]
struct Dual {
    alpha: f64,
    /// For logistic regression, `ln(α / (cost − α))`: what the optimum has for a margin is its negative. It is exact where α is
    /// near 0 or near the cost, and Newton's method finds it in a few steps.
    logit: f64,
}

/// What became of a dual variable.
struct Moved {
    /// The gradient before, as far as it could be followed.
    gradient: f64,
    /// The change.
    by: f64,
}

impl Dual {
    fn new(loss: Loss, cost: f64) -> Self {
        match loss {
            Loss::SquaredHinge => Self { alpha: 0.0, logit: 0.0 },
            Loss::Logistic if cost < LEAST_COST => Self { alpha: 0.0, logit: 0.0 },
            Loss::Logistic => Self { alpha: cost * logistic(FIRST_LOGIT), logit: FIRST_LOGIT },
        }
    }

    /// Minimises over α of at least 0. `None` if α is 0 and will hardly change.
    fn hinge(&mut self, cost: f64, margin: f64, length: f64, beyond: f64) -> Option<Moved> {
        let alpha = self.alpha;
        let gradient = margin - 1.0 + alpha / (2.0 * cost);
        if alpha == 0.0 && gradient >= 0.0 {
            return (gradient <= beyond).then_some(Moved { gradient: 0.0, by: 0.0 });
        }
        self.alpha = (alpha - gradient / (length + 0.5 / cost)).max(0.0);
        Some(Moved { gradient, by: self.alpha - alpha })
    }

    /// Minimises over α between 0 and the cost, to a gradient of `inner`.
    fn logistic(&mut self, cost: f64, margin: f64, length: f64, inner: f64) -> Moved {
        let (first, alpha) = (margin + self.logit, self.alpha);
        if first.abs() < inner {
            return Moved { gradient: first.abs(), by: 0.0 };
        }
        // The gradient grows with the logit, by 1 at least: its root is between here and as far as the gradient is long.
        let (mut low, mut high) =
            if first > 0.0 { (self.logit - first, self.logit) } else { (self.logit, self.logit - first) };
        let mut gradient = first;
        for _ in 0..MOST_NEWTON_STEPS {
            let bend = length * self.alpha * (1.0 - self.alpha / cost) + 1.0;
            let next = self.logit - gradient / bend;
            self.logit = if low < next && next < high { next } else { 0.5 * (low + high) };
            self.alpha = cost * logistic(self.logit);
            gradient = length * (self.alpha - alpha) + margin + self.logit;
            if gradient.abs() < inner {
                break;
            }
            if gradient > 0.0 { high = self.logit } else { low = self.logit }
        }
        Moved { gradient: first.abs(), by: self.alpha - alpha }
    }
}

/// `1 / (1 + exp(−x))`.
fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Fisher and Yates' shuffle, with the numbers of splitmix64.
fn shuffle(items: &mut [u32], state: &mut u64) {
    for last in (1..items.len()).rev() {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = *state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let other = ((u128::from(bits) * (last as u128 + 1)) >> 64) as usize;
        items.swap(last, other);
    }
}

impl Loss {
    /// The loss of an example with this margin.
    fn of(self, margin: f64) -> f64 {
        match self {
            Self::Logistic => (-margin.abs()).exp().ln_1p() + (-margin).max(0.0),
            Self::SquaredHinge => (1.0 - margin).max(0.0).powi(2),
        }
    }
}
