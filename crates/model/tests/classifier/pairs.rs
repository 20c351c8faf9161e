//! Pairs of texts that are compared: what the head sees, by hand.

use attentive_model::{
    AttentionConfig, EmbeddingConfig, Head, Initializer, Input, ModelConfig, NoneConfig, Pair, Sizes, Weight,
};

use crate::table::{assert_close, backends, padded, values};

/// A bag of embeddings whose head hands out what it sees.
#[test]
fn the_head_sees_both_texts_their_difference_and_their_product() {
    let config = ModelConfig {
        embedding: EmbeddingConfig { dim: 2, ..EmbeddingConfig::default() },
        attention: AttentionConfig::None(NoneConfig {}),
        pair: Some(Pair::Compare),
        ..ModelConfig::default()
    };
    let sizes = Sizes { vocab_size: 4, buckets: None, n_labels: 8, head: Head::Softmax };
    let weight = |name: &str, shape: &[usize], values| Weight { name: name.to_string(), shape: shape.to_vec(), values };
    let identity: Vec<f32> = (0..64).map(|i| if i / 8 == i % 8 { 1.0 } else { 0.0 }).collect();
    for opened in backends() {
        let model = config.init(&sizes, &mut Initializer::zeros(&opened.device)).with_weights(vec![
            weight("embedding.weight", &[4, 2], vec![9.0, 9.0, 1.0, 2.0, 3.0, -6.0, 4.0, 0.5]),
            weight("head.weight", &[8, 8], identity.clone()),
            weight("head.bias", &[8], vec![0.0; 8]),
        ]);
        let input = Input {
            texts: padded(&[&[1, 2], &[3]], 2, 0, &opened.device),
            seconds: Some(padded(&[&[3], &[]], 1, 0, &opened.device)),
            ngrams: None,
        };
        // u is the mean of (1, 2) and (3, −6), v is (4, 0.5); then u is (4, 0.5), and v, without tokens, (0, 0).
        let expected = [
            2.0, -2.0, 4.0, 0.5, 2.0, 2.5, 8.0, -1.0, //
            4.0, 0.5, 0.0, 0.0, 4.0, 0.5, 0.0, 0.0,
        ];
        assert_close("what the head sees", &values(model.unwrap().forward(input)), &expected, 1e-6);
    }
}
