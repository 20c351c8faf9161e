//! The attention weights that a classifier hands out: their shapes, that they share out exactly 1, and that padding gets
//! none of it.

use attentive_model::Pooling;

use crate::table::{Example, assert_close, backends, cases, values};

const EXAMPLES: [Example; 3] = [
    Example { text: &[1, 2, 3, 4], second: &[7, 8], ngrams: &[2] },
    Example { text: &[5, 1], second: &[6, 2, 4], ngrams: &[] },
    Example { text: &[6], second: &[3], ngrams: &[1] },
];
const WIDTH: usize = 5;

#[test]
fn weights_share_out_one_among_the_tokens() {
    for opened in backends() {
        for case in cases(opened.backend) {
            let model = case.model(&opened.device);
            let found = model.attention_weights(case.input(&EXAMPLES, Some(WIDTH), 9, &opened.device));
            let what = format!("{} on {}", case.name, opened.backend);

            let texts = if case.config.reads_pairs() { 2 } else { 1 };
            let (of_text, heads) = match case.mechanism.split(' ').next().unwrap() {
                "none" => (0, 0),
                "multi_head" => (1, 3),
                "transformer" => (2, 3),
                "bidirectional" => (1, 1),
                _ => (1, 1),
            };
            assert_eq!(found.attention.len(), texts * of_text, "{what}");
            for (i, weights) in found.attention.into_iter().enumerate() {
                assert_eq!(weights.dims(), [EXAMPLES.len(), heads, WIDTH, WIDTH], "{what}");
                // The tokens of a text look at each other; of a pair that is brought together, those of the first text look at
                // the second, and those of the second at the first.
                let over_second = (i / of_text == 1) != case.config.attention.compares_texts();
                let rows = values(weights);
                for (row, keys) in rows.chunks(WIDTH).enumerate() {
                    let example = EXAMPLES[row / (heads * WIDTH)];
                    check(&what, keys, if over_second { example.second } else { example.text });
                }
            }

            let pools = case.config.pooling == Pooling::Attention;
            assert_eq!(found.pooling.len(), if pools { texts } else { 0 }, "{what}");
            for (i, weights) in found.pooling.into_iter().enumerate() {
                assert_eq!(weights.dims(), [EXAMPLES.len(), WIDTH], "{what}");
                for (row, example) in values(weights).chunks(WIDTH).zip(EXAMPLES) {
                    check(&what, row, if i == 1 { example.second } else { example.text });
                }
            }
        }
    }
}

fn check(what: &str, weights: &[f32], text: &[i32]) {
    let (tokens, padding) = weights.split_at(text.len());
    assert_close(what, &[tokens.iter().sum()], &[1.0], 1e-6);
    assert!(tokens.iter().all(|&weight| weight > 0.0), "{what}: {weights:?}");
    assert!(padding.iter().all(|&weight| weight == 0.0), "{what}: {weights:?}");
}

#[test]
fn a_pair_of_other_lengths_has_oblong_weights() {
    for opened in backends() {
        let case = cases(opened.backend).into_iter().find(|case| case.mechanism == "bidirectional").unwrap();
        // To the longest of each kind: 4 tokens, and 3 of the second texts.
        let input = case.input(&EXAMPLES, None, 9, &opened.device);
        let found = case.model(&opened.device).attention_weights(input).attention;
        let shapes: Vec<[usize; 4]> = found.iter().map(|weights| weights.dims()).collect();
        assert_eq!(shapes, [[3, 1, 4, 3], [3, 1, 3, 4]]);
    }
}
