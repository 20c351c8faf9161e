//! The name that a misspelled one was meant to be. What to say about it is up to the caller.

/// The candidate that `name` most likely stands for: misspelled, cut short or abbreviated. `None` rather than a guess.
pub(crate) fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let candidates: Vec<&str> = candidates.collect();
    let wanted = snake_case(name);
    let length = wanted.chars().count();
    let misspelled = candidates.iter().filter_map(|candidate| {
        let longest = length.max(candidate.chars().count());
        let most = longest / 3;
        // Comparing costs the product of the lengths, so a hopeless length is not compared.
        if length.abs_diff(candidate.chars().count()) > most {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&wanted, candidate);
        (distance <= most).then_some((distance, *candidate))
    });
    if let Some((_, candidate)) = misspelled.min_by_key(|(distance, _)| *distance) {
        return Some(candidate);
    }
    let part = |candidate: &&&str| length >= 3 && (candidate.contains(&wanted) || wanted.contains(**candidate));
    let initials = |candidate: &&&str| {
        length >= 2 && candidate.split('_').filter_map(|word| word.chars().next()).eq(wanted.chars())
    };
    only(candidates.iter().filter(part)).or_else(|| only(candidates.iter().filter(initials))).copied()
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

/// `learningRate` and `Learning-Rate` as `learning_rate`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && after_lower {
            snake.push('_');
        }
        after_lower = c.is_lowercase() || c.is_ascii_digit();
        if matches!(c, '-' | ' ' | '.') {
            snake.push('_');
        } else {
            snake.extend(c.to_lowercase());
        }
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_misspelled_shortened_and_abbreviated_names() {
        let keys = || ["learning_rate", "batch_size", "epochs", "dim"].into_iter();
        for (written, meant) in [
            ("learning_rat", Some("learning_rate")),
            ("learningRate", Some("learning_rate")),
            ("Learning-Rate", Some("learning_rate")),
            ("lr", Some("learning_rate")),
            ("batch", Some("batch_size")),
            ("epoch", Some("epochs")),
            ("ephocs", Some("epochs")),
            ("embedding_dim", Some("dim")),
            ("dropout", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, keys()), meant, "{written}");
        }
    }
}
