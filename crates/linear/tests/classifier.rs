//! The whole classifier: the same bits for any number of threads and after saving, explanations that add up, and texts and
//! labels that nobody would choose.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use attentive_linear::{
    Examples, FeatureParts, FeatureSettings, Features, LinearError, LinearModel, Loss, SolverSettings, Stop, Targets,
    Weights,
};

const GO_ON: Stop = &|| false;
const LABELS: usize = 11;

/// Texts of eleven labels, more than one label's worth of lanes, in two scripts.
fn corpus() -> (Vec<String>, Vec<u32>) {
    let mut state = 1_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    let text = |label: u64, next: &mut dyn FnMut(u64) -> u64| {
        let word = |n: u64| if n.is_multiple_of(5) { "很好吃".to_owned() } else { format!("w{n} ") };
        (0..next(40)).map(|_| word(label * 7 + next(20))).collect()
    };
    let labels = (0..700).map(|_| next(LABELS as u64)).collect::<Vec<_>>();
    let texts = labels.iter().map(|&label| text(label, &mut next)).collect();
    (texts, labels.into_iter().map(|label| label as u32).collect())
}

fn fit(texts: &[&str], examples: &Examples, loss: Loss) -> LinearModel {
    let solver = SolverSettings { loss, ..SolverSettings::default() };
    LinearModel::fit(texts, examples, &FeatureSettings::default(), &solver, GO_ON).unwrap()
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (texts, labels) = corpus();
    let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
    let examples = Examples::new(Targets::One(&labels), LABELS);
    let with_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            [Loss::Logistic, Loss::SquaredHinge].map(|loss| {
                let model = fit(&texts, &examples, loss);
                let logits = bits(&model.logits(&texts, GO_ON).unwrap());
                let (features, weights) = model.into_parts();
                (features, bits(&weights.weights), bits(&weights.bias), logits)
            })
        })
    };
    let with_one = with_threads(1);
    assert!(with_one[0].0.words.len() > 100 && with_one[0].0.characters.len() > 100);
    assert!([2, 3, 4].into_iter().all(|threads| with_threads(threads) == with_one));
}

#[test]
fn a_text_has_the_same_logits_alone() {
    let (texts, labels) = corpus();
    let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
    let model = fit(&texts, &Examples::new(Targets::One(&labels), LABELS), Loss::Logistic);
    let together = model.logits(&texts, GO_ON).unwrap();
    for index in [0, 17, 699] {
        let alone = model.logits(&[texts[index]], GO_ON).unwrap();
        assert_eq!(bits(&alone), bits(&together[index * LABELS..][..LABELS]));
    }
}

#[test]
fn saved_and_loaded_it_has_the_same_logits() {
    let (texts, labels) = corpus();
    let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
    let model = fit(&texts, &Examples::new(Targets::One(&labels), LABELS), Loss::SquaredHinge);
    let logits = model.logits(&texts, GO_ON).unwrap();
    let (features, weights) = model.into_parts();
    let features: FeatureParts = serde_json::from_str(&serde_json::to_string(&features).unwrap()).unwrap();
    let weights: Weights = serde_json::from_str(&serde_json::to_string(&weights).unwrap()).unwrap();
    let loaded = LinearModel::new(Features::new(features).unwrap(), weights).unwrap();
    assert_eq!(bits(&loaded.logits(&texts, GO_ON).unwrap()), bits(&logits));
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let (texts, labels) = corpus();
    let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
    let (features, weights) = fit(&texts, &Examples::new(Targets::One(&labels), LABELS), Loss::Logistic).into_parts();
    let refused = |change: &dyn Fn(&mut FeatureParts)| {
        let mut parts = features.clone();
        change(&mut parts);
        Features::new(parts).is_err()
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&|parts| parts.words.swap(0, 1)));
    assert!(refused(&|parts| parts.words[1] = parts.words[0].clone()));
    assert!(refused(&|parts| parts.words.last_mut().unwrap().push_str(" zz zz zz")));
    assert!(refused(&|parts| parts.characters.last_mut().unwrap().push_str("zzzzzz")));
    assert!(refused(&|parts| parts.idf[3] = f32::NAN));
    assert!(refused(&|parts| parts.idf.truncate(3)));
    assert!(refused(&|parts| parts.settings.characters = 7));
    let features = Features::new(features).unwrap();
    let short = Weights { weights: weights.weights[1..].to_vec(), bias: weights.bias.clone() };
    assert!(LinearModel::new(features.clone(), short).is_err());
    let mut infinite = weights;
    infinite.bias[0] = f32::INFINITY;
    assert!(LinearModel::new(features, infinite).is_err());
}

#[test]
fn contributions_add_up_to_the_logits_and_say_where() {
    let texts = ["A GREAT film, très bien", "a great cast", "a bad film", "très bad 很好", "bien 很好"];
    let examples = Examples::new(Targets::One(&[2, 2, 0, 0, 1]), 3);
    let model = fit(&texts, &examples, Loss::Logistic);
    let text = "GREAT, great Film! TRÈS 很好";
    let logits = model.logits(&[text], GO_ON).unwrap();
    let contributions = model.contributions(text);
    for (label, logit) in logits.iter().enumerate() {
        let sum = contributions.iter().map(|each| each.logits[label]).sum::<f32>() + model.weights().bias[label];
        assert!((sum - logit).abs() < 1e-5);
    }
    let places = |ngram: &str| {
        let found = contributions.iter().find(|each| model.features().ngram(each.feature) == ngram).unwrap();
        found.places.iter().map(|place| &text[place.clone()]).collect::<Vec<_>>()
    };
    assert_eq!(places("great"), ["GREAT", "great"]);
    assert_eq!(places(" gre"), ["GRE", "gre"]);
    assert_eq!(places("ès "), ["ÈS"]);
    assert_eq!(places("很 好"), ["很好"]);
}

#[test]
fn pruning_keeps_the_features_that_say_most() {
    let (texts, labels) = corpus();
    let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
    let model = fit(&texts, &Examples::new(Targets::One(&labels), LABELS), Loss::Logistic);
    let length = |model: &LinearModel, feature: usize| {
        let row = &model.weights().weights[feature * LABELS..][..LABELS];
        model.features().parts().idf[feature] * row.iter().map(|weight| weight * weight).sum::<f32>().sqrt()
    };
    let mut lengths = (0..model.features().len()).map(|feature| length(&model, feature)).collect::<Vec<_>>();
    lengths.sort_by(|a, b| b.total_cmp(a));
    let pruned = model.pruned(50);
    assert_eq!(pruned.features().len(), 50);
    assert!((0..50).all(|feature| length(&pruned, feature) >= lengths[50]));
}

#[test]
fn hostile_texts_are_classified() {
    let long = "x".repeat(1 << 20);
    let marks = format!("e{}", "\u{301}".repeat(10_000));
    let texts = [
        "",
        " ",
        "\0",
        "\0\0 \0",
        "\u{feff}",
        "\u{fffd}\u{fffd}",
        "👩‍👩‍👧 👍🏽",
        &long,
        &marks,
        "İI",
        "ﷺ",
        "\u{10ffff}",
        "a b",
        "ภาษาไทย",
        "한국어 텍스트",
        "עִבְרִית",
        "日本語のテキスト。",
        "\r\n\t",
        "'''",
        "1 2 3",
    ];
    let labels = (0..texts.len() as u32).map(|index| index % 3).collect::<Vec<_>>();
    for settings in [
        FeatureSettings { min_df: 1, ..FeatureSettings::default() },
        FeatureSettings { words: 3, characters: 6, ideographs: 6, min_df: 1, ..FeatureSettings::default() },
        FeatureSettings { characters: 0, ..FeatureSettings::default() },
        FeatureSettings { words: 0, characters: 0, ..FeatureSettings::default() },
    ] {
        let examples = Examples::new(Targets::One(&labels), 3);
        let model = LinearModel::fit(&texts, &examples, &settings, &SolverSettings::default(), GO_ON).unwrap();
        assert!(model.logits(&texts, GO_ON).unwrap().iter().all(|logit| logit.is_finite()));
        texts.iter().filter(|text| text.len() < 1000).for_each(|text| drop(model.contributions(text)));
        let (features, weights) = model.into_parts();
        assert!(LinearModel::new(Features::new(features).unwrap(), weights).is_ok());
    }
}

#[test]
fn labels_that_hardly_occur_are_solved() {
    let texts = ["same text"; 6];
    for (labels, n_labels) in [([0, 0, 0, 0, 0, 1], 2), ([0; 6], 2), ([0, 1, 2, 3, 4, 4], 9)] {
        for loss in [Loss::Logistic, Loss::SquaredHinge] {
            let model = fit(&texts, &Examples::new(Targets::One(&labels), n_labels), loss);
            assert!(model.logits(&["same text", "another"], GO_ON).unwrap().iter().all(|logit| logit.is_finite()));
        }
    }
    let sets = [vec![], vec![0], vec![0, 1], vec![], vec![1], vec![]];
    let logits = fit(&texts, &Examples::new(Targets::Many(&sets), 3), Loss::Logistic).logits(&texts, GO_ON).unwrap();
    // Two of six have each of the first two labels; the regularised bias is a little nearer to 0 than ln ½.
    assert!((logits[0] - logits[1]).abs() < 1e-2);
    assert!((-0.7..-0.5).contains(&logits[0]) && logits[2] < -3.0);
}

#[test]
fn examples_that_do_not_count_are_as_if_they_were_not_there() {
    let texts = ["good one", "bad one", "good two", "bad two", "good bad"];
    let rows = Features::fit(&texts, &FeatureSettings::default(), GO_ON).unwrap().rows(&texts, GO_ON).unwrap();
    for loss in [Loss::Logistic, Loss::SquaredHinge] {
        let settings = SolverSettings { loss, tolerance: 1e-9, ..SolverSettings::default() };
        let weights = [1.0, 1.0, 1.0, 1.0, 0.0];
        let examples = Examples { weights: Some(&weights), ..Examples::new(Targets::One(&[1, 0, 1, 0, 0]), 2) };
        let with = attentive_linear::solve(&rows, &examples, &settings, GO_ON).unwrap();
        let four = Examples::new(Targets::One(&[1, 0, 1, 0]), 2);
        let without = attentive_linear::solve(&rows.select(&[0, 1, 2, 3]), &four, &settings, GO_ON).unwrap();
        assert!(with.passes < 200);
        for (a, b) in with.weights.weights.iter().zip(&without.weights.weights) {
            assert!((a - b).abs() < 1e-6);
        }
    }
}

#[test]
fn naive_bayes_ratios_widen_the_decision_where_words_tell_the_label() {
    let texts = ["good one", "good two", "bad one", "bad two"];
    let solver = SolverSettings { loss: Loss::Logistic, naive_bayes: true, ..SolverSettings::default() };
    let examples = Examples::new(Targets::One(&[1, 1, 0, 0]), 2);
    let features = FeatureSettings { characters: 0, ..FeatureSettings::default() };
    let model = LinearModel::fit(&texts, &examples, &features, &solver, GO_ON).unwrap();
    let weight = |ngram: &str| {
        let id = model.features().parts().words.iter().position(|word| word == ngram).unwrap();
        model.weights().weights[id * 2 + 1]
    };
    // The ratio of a word that is as frequent with the label as without is 0, and so is its weight.
    assert_eq!((weight("one"), weight("two")), (0.0, 0.0));
    assert!(weight("good") > 0.5 && (weight("good") + weight("bad")).abs() < 1e-3);
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    let fit = |texts: &[&str], examples: &Examples| {
        LinearModel::fit(texts, examples, &FeatureSettings::default(), &SolverSettings::default(), GO_ON).unwrap_err()
    };
    assert_eq!(fit(&[], &Examples::new(Targets::One(&[]), 2)), LinearError::NoTexts);
    assert!(matches!(
        fit(&["a"], &Examples::new(Targets::One(&[0]), 1)),
        LinearError::Setting { name: "n_labels", .. }
    ));
    let beyond = LinearError::Label { example: 1, label: 2, n_labels: 2 };
    assert_eq!(fit(&["a", "b"], &Examples::new(Targets::One(&[0, 2]), 2)), beyond);
    assert!(matches!(
        fit(&["a"], &Examples::new(Targets::One(&[0, 1]), 2)),
        LinearError::Count { expected: 1, found: 2, .. }
    ));
    let negative = Examples { weights: Some(&[-1.0]), ..Examples::new(Targets::One(&[0]), 2) };
    assert!(matches!(fit(&["a"], &negative), LinearError::Setting { name: "weight", .. }));
    let solver = SolverSettings { c: Some(0.0), ..SolverSettings::default() };
    let examples = Examples::new(Targets::One(&[0]), 2);
    let error = LinearModel::fit(&["a"], &examples, &FeatureSettings::default(), &solver, GO_ON).unwrap_err();
    assert!(matches!(error, LinearError::Setting { name: "c", .. }));
}
