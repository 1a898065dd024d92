//! What a letter says, in its reader's language: plain text, each line of which stands for itself.

use app::notices::Letter;

use crate::portal::tongue::{Told, Tongue};

/// A letter, written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Its subject, in one line.
    pub(super) subject: String,
    /// Its text.
    pub(super) text: String,
    /// The language it is in.
    pub(super) language: &'static str,
}

/// Writes a letter.
pub(super) fn written(letter: &Letter, hub_url: &str) -> Written {
    let t = Tongue::chosen(&letter.language).unwrap_or(Tongue::English);
    let told: Vec<Told> = letter.notices.iter().map(|notice| Told::of(t, notice)).collect();
    let mut text = t.fill("letter-hello", &[("name", &letter.name)]);
    let alone = told.len() == 1;
    let subject = match told.as_slice() {
        [told] => told.subject.clone(),
        several => t.count("letter-daily", several.len()),
    };
    for (notice, told) in letter.notices.iter().zip(&told) {
        text.push_str("\n\n");
        if !alone {
            text.push_str(&format!("* {} ({})\n\n", told.subject, t.minute(notice.told_at)));
        }
        text.push_str(told.text.trim());
        text.push_str(&format!("\n\n{} {}", t.say("letter-next"), told.next));
        text.push_str(&format!("\n{} {hub_url}{}", t.say("letter-link"), notice.link));
    }
    let settings = format!("{hub_url}/settings/notices");
    let end = t.fill("letter-end", &[("hub", hub_url), ("settings", &settings)]);
    text.push_str(&format!("\n\n-- \n{end}\n"));
    Written { subject, text: text.replace('\u{a0}', " "), language: t.code() }
}
