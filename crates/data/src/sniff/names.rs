//! What columns of texts and labels are called.

/// Names that columns of texts have, the likeliest first.
pub(super) const TEXTS: &str = "text sentence review content tweet message comment question utterance body document description headline \
    title query sms";
/// Names that columns of labels have, the likeliest first.
pub(super) const LABELS: &str = "label labels gold_label class category target sentiment intent topic topics emotion emotions polarity \
    stars rating tag tags";
/// Names that the columns of pairs have.
pub(super) const PAIRS: &str = "premise hypothesis,sentence1 sentence2,sentence_a sentence_b,question1 question2,text1 text2,\
    text_a text_b,first second,question answer";
/// Whether columns of texts or labels are called so.
pub(super) fn is_usual_name(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    TEXTS.split(' ').chain(LABELS.split(' ')).any(|known| known == name)
}
