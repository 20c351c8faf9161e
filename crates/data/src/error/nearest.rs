//! The name that a misspelled one was meant to be.

use super::excerpt::excerpt;

/// Asks whether the name most like `name` was meant, if any is like it at all. Long ones are not compared, which takes the
/// product of their lengths.
pub(super) fn did_you_mean(name: &str, names: &[String]) -> Option<String> {
    const LONGEST: usize = 200;
    if name.len() > LONGEST {
        return None;
    }
    let wanted = name.to_lowercase();
    names
        .iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::jaro_winkler(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|&(similarity, _)| similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| format!("did you mean `{}`?", excerpt(candidate)))
}
