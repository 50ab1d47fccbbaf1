//! The words of an instruction, without their quotes.

/// A word.
#[derive(Default)]
pub(super) struct Word {
    pub(super) text: String,
    /// Whether a `$` in it takes in a variable.
    pub(super) expands: bool,
}

/// Words are divided by white space outside of quotes; the escape takes the next character as it is.
pub(super) fn split(text: &str, escape: char) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (_, Some(open)) if letter == open => quote = None,
            (_, open) if letter == escape && open != Some('\'') => {
                let next = letters.next();
                word.get_or_insert_default().text.extend(next);
            }
            (_, None) if letter.is_whitespace() => words.extend(word.take()),
            _ => {
                let word = word.get_or_insert_default();
                word.expands |= letter == '$' && quote != Some('\'');
                word.text.push(letter);
            }
        }
    }
    words.extend(word);
    words
}
